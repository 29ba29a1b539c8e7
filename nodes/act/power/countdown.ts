/** What may be done with the machine's power. */
export type PowerAction = 'reboot' | 'power-off';

/** Where a countdown stands. `gone`: it is too late, the machine has been asked. */
export type Stand = 'counting' | 'cancelled' | 'gone';

/** The one countdown of this process. */
export class Countdown {
  readonly action: PowerAction;
  #stand: Stand = 'counting';
  readonly #onCancel: () => void;

  constructor(action: PowerAction, onCancel: () => void) {
    this.action = action;
    this.#onCancel = onCancel;
  }

  get stand(): Stand {
    return this.#stand;
  }

  /** @returns false when it is too late, or was cancelled before */
  cancel(): boolean {
    if (this.#stand !== 'counting') return false;
    this.#stand = 'cancelled';
    this.#onCancel();
    return true;
  }

  /** Nothing holds it any more. @returns false when it has been cancelled */
  go(): boolean {
    if (this.#stand !== 'counting') return false;
    this.#stand = 'gone';
    return true;
  }
}

/** Seconds left at which the message is edited, few enough for Telegram, which slows down a chatty bot. */
const MARKS = [60, 45, 30, 20, 15, 10, 8, 6, 4, 2];

/** The seconds at which the person is told, from the first to the last. */
export function marksOf(seconds: number): number[] {
  return [seconds, ...MARKS.filter((mark) => mark < seconds)];
}

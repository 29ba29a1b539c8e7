import { decide } from '../../ops/health/decide.js';
import { noteSent } from '../../ops/health/due.js';
import type { Findings, UnitFinding } from '../../ops/health/findings.js';
import { freshState, parseState, type State } from '../../ops/health/state.js';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const START = Date.UTC(2026, 0, 10, 2, 0);

export const unit = (facts: Partial<Extract<UnitFinding, { active: string }>> = {}): UnitFinding => ({
  load: 'loaded',
  active: 'active',
  sub: 'running',
  result: 'success',
  restarts: 0,
  status: 0,
  ...facts,
});

const silence = { answer: 'none', why: 'refused', detail: 'connect ECONNREFUSED' } as const;

/** How the machine can be at a look. */
export const WORLD = {
  well: { health: { answer: 'ok' }, unit: unit() },
  /** The process is there and says nothing. */
  mute: { health: silence, unit: unit() },
  starting: { health: silence, unit: unit({ active: 'activating', sub: 'start' }) },
  failed: {
    health: silence,
    unit: unit({ active: 'failed', sub: 'failed', result: 'exit-code', status: 1 }),
  },
  refuses: {
    health: silence,
    unit: unit({ active: 'failed', sub: 'failed', result: 'exit-code', status: 78 }),
  },
  stopped: { health: silence, unit: unit({ active: 'inactive', sub: 'dead' }) },
  ailing: { health: { answer: 'ailing', parts: { flows: 'the flows are stopped' } }, unit: unit() },
} satisfies Record<string, Partial<Findings>>;

export interface Step extends Partial<Findings> {
  /** Whether Telegram takes messages. */
  api?: Findings['api'];
  reaches?: boolean;
}

/** One message as it went out. */
export interface Said {
  /** Minutes after START. */
  minute: number;
  target: string;
  /** e.g. `potion:begin` */
  about: string[];
  silent: boolean;
}

/** Plays looks one after the other; what was sent is kept in `said`. */
export class Play {
  state: State = freshState();
  readonly said: Said[] = [];
  readonly targets: readonly string[];

  constructor(targets: readonly string[] = ['1']) {
    this.targets = targets;
  }

  /** One look, `minute` minutes after START. */
  look(minute: number, { reaches = true, ...facts }: Step): void {
    const at = START + minute * MINUTE;
    const findings: Findings = {
      at,
      boot: 'boot',
      uptime: 1000 + minute * 60,
      ...WORLD.well,
      api: [{ bot: 'potion', answer: reaches ? 'ok' : 'unreachable' }],
      disks: [],
      logs: {},
      settings: [],
      ...facts,
    };
    const { state, tells } = decide(this.state, findings, this.targets);
    this.state = state;
    for (const tell of reaches ? tells : []) {
      this.state = noteSent(this.state, tell, findings.at);
      const about = tell.items.map(({ what, incident }) => `${incident.cause}:${what}`);
      this.said.push({ minute, target: tell.target, about, silent: tell.silent });
    }
    // As it lies in the file between two looks.
    const read = parseState(JSON.stringify(this.state));
    if (!read) throw new Error(`the state can't be read back: ${JSON.stringify(this.state)}`);
    this.state = read;
  }

  /** A look every five minutes from `from` up to, not including, `until`. */
  looks(from: number, until: number, step: Step): this {
    for (let minute = from; minute < until; minute += 5) this.look(minute, step);
    return this;
  }

  /** `minute about` of each message, for comparing. */
  get lines(): string[] {
    return this.said.map(({ minute, about }) => `${minute} ${about.join(' ')}`);
  }
}

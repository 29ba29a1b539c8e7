import {
  CORE_PARTS,
  type CorePart,
  type Stands,
  stuckParts,
  UNWATCHED,
  watchCore,
} from '../../nodes/kit/core-health.js';
import type { TriedRestarts } from './tried-restarts.js';

/** What a look at the core led to. */
export interface Judgement {
  /** Potion should be restarted, because of this. */
  restart?: string;
  /** This is stuck, and a restart did not mend it. */
  hopeless?: string;
}

/** Judges from look to look whether a restart would mend something, and tries one once for each part. */
export class CoreGuard {
  readonly #tried: TriedRestarts;
  readonly #longest: number;
  /** What this process is to be restarted for. */
  readonly #condemned = new Set<CorePart>();
  #watch = UNWATCHED;

  /** @param longest ms between two looks beyond which nobody has watched */
  constructor(tried: TriedRestarts, longest: number) {
    this.#tried = tried;
    this.#longest = longest;
  }

  /** @param now monotonic ms @param up seconds since boot */
  look(stands: Stands, now: number, up: number): Judgement {
    this.#watch = watchCore(this.#watch, stands, now, this.#longest);
    const stuck = stuckParts(this.#watch, stands);
    for (const part of CORE_PARTS)
      if (!stuck.some((one) => one.part === part)) {
        this.#condemned.delete(part);
        this.#tried.works(part, up);
      }
    for (const { part } of stuck)
      if (!this.#tried.has(part)) {
        this.#condemned.add(part);
        this.#tried.note(part, up);
      }
    const words = (condemned: boolean) =>
      stuck.flatMap(({ part, why }) => (this.#condemned.has(part) === condemned ? [why] : [])).join('; ');
    const restart = words(true);
    const hopeless = words(false);
    return { ...(restart && { restart }), ...(hopeless && { hopeless }) };
  }
}

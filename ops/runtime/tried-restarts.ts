import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CORE_PARTS, type CorePart } from '../../nodes/kit/core-health.js';

/** A part that was restarted for is not restarted for again within so many seconds. */
const NOT_AGAIN_WITHIN = 6 * 3600;

/** Which parts a restart was tried for, and when: seconds since boot, which no set clock changes. */
type Tried = Partial<Record<CorePart, number>>;

/**
 * Remembers from one start to the next what a restart was tried for, so that Potion does not restart again and
 * again over what that does not mend. Without a folder nothing is remembered.
 */
export class TriedRestarts {
  readonly #file: string | undefined;
  #tried: Tried = {};

  /** @param folder one that is emptied at boot, as /run/potion is */
  constructor(folder: string | undefined) {
    this.#file = folder && join(folder, 'tried-restarts.json');
    try {
      if (this.#file) this.#tried = parse(readFileSync(this.#file, 'utf8'));
    } catch {
      // There is none yet, or it was cut short: at worst one restart too many.
    }
  }

  has(part: CorePart): boolean {
    return this.#tried[part] !== undefined;
  }

  /** Notes that a restart is tried. Never throws. @param up seconds since boot */
  note(part: CorePart, up: number): void {
    this.#tried[part] = up;
    this.#write();
  }

  /** A part works: once its restart is long ago, another may be tried. */
  works(part: CorePart, up: number): void {
    const at = this.#tried[part];
    if (at === undefined || up - at < NOT_AGAIN_WITHIN) return;
    delete this.#tried[part];
    this.#write();
  }

  #write(): void {
    try {
      if (this.#file) writeFileSync(this.#file, JSON.stringify(this.#tried));
    } catch {
      // The restart comes all the same.
    }
  }
}

function parse(text: string): Tried {
  const read = JSON.parse(text) as Record<string, unknown>;
  return Object.fromEntries(
    CORE_PARTS.flatMap((part) => (typeof read[part] === 'number' ? [[part, read[part]]] : [])),
  );
}

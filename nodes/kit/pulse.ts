/**
 * Signs of life of the parts that health is judged by. A part says `alive` when it has just done its work and
 * `ailing` when it knows that it can't; silence for longer than `within` counts as ailing too.
 */
export type Part = 'flows' | 'database' | 'sampler' | 'telegram';

export interface Pulse {
  /** Epoch ms of the last sign of life. */
  at: number;
  /** Milliseconds after which silence means trouble. */
  within: number;
  /** Why the part can't do its work, in plain English; absent while it can. */
  ailing?: string;
}

const pulses = new Map<Part, Pulse>();

/** Records that a part has just done its work. */
export function alive(part: Part, now: number, within: number): void {
  pulses.set(part, { at: now, within });
}

/** Records that a part can't do its work, and why (no secrets). */
export function ailing(part: Part, why: string, now: number): void {
  const last = pulses.get(part);
  pulses.set(part, { at: last?.at ?? now, within: last?.within ?? 0, ailing: why });
}

/** Forgets a part that is no longer in use, e.g. when its node is removed. */
export function forget(part: Part): void {
  pulses.delete(part);
}

/** What is known of a part, if it has ever spoken. */
export function pulseOf(part: Part): Pulse | undefined {
  return pulses.get(part);
}

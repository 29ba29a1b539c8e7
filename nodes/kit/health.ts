import type { Part, Pulse } from './pulse.js';

export interface PartHealth {
  ok: boolean;
  /** What is wrong, in plain English; absent while all is well. */
  reason?: string;
  /** Seconds since the last sign of life. */
  age?: number;
}

export interface Health {
  ok: boolean;
  parts: Record<Part, PartHealth>;
}

const PARTS: Record<Part, string> = {
  flows: 'the flows have not started; a node type may be missing, see runtime.log',
  database: 'the database has not been written to',
  sampler: 'no metrics node has sampled; the flow that senses the machine is missing or stopped',
  telegram: 'the Telegram side has neither polled nor sent',
};

/** Potion is healthy when every part has given a sign of life in time and none says that it ails. */
export function judgeHealth(pulseOf: (part: Part) => Pulse | undefined, now: number): Health {
  const parts = Object.fromEntries(
    Object.entries(PARTS).map(([part, silent]) => [part, judgePart(pulseOf(part as Part), silent, now)]),
  ) as Record<Part, PartHealth>;
  return { ok: Object.values(parts).every((part) => part.ok), parts };
}

function judgePart(pulse: Pulse | undefined, silent: string, now: number): PartHealth {
  if (!pulse) return { ok: false, reason: silent };
  const age = Math.max(0, Math.round((now - pulse.at) / 1000));
  if (pulse.ailing !== undefined) return { ok: false, reason: pulse.ailing, age };
  // It was given before the clock was set back, and nothing is known since.
  if (pulse.at - now > pulse.within)
    return { ok: false, reason: 'no sign of life yet since the clock was set back' };
  if (now - pulse.at > pulse.within) return { ok: false, reason: `no sign of life for ${age} s`, age };
  return { ok: true, age };
}

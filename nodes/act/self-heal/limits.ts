import { PotionError } from '../../kit/errors.js';

/** How hard self-heal tries. Times in milliseconds. */
export interface Limits {
  /** Restarts per episode, and per window over all episodes of a unit. */
  tries: number;
  window: number;
  /** Wait before the second try; each further one is `growth` times longer, `longestWait` at most. */
  backoff: number;
  growth: number;
  longestWait: number;
  /** How long a unit must stay up before it counts as healed. */
  stable: number;
  /** How long systemd may be busy with a unit (starting it, its own Restart=) before that counts as down. */
  patience: number;
  /** After giving up: one more try this often. 0: never by itself. */
  coolDown: number;
}

/** What the editor saves; times in seconds. */
export interface LimitsConfig {
  tries: number | string;
  window: number | string;
  backoff: number | string;
  growth: number | string;
  stable: number | string;
  patience: number | string;
  coolDown: number | string;
}

const LONGEST_WAIT = 300_000;

/**
 * Reads the limits from a node's configuration.
 * @throws PotionError INVALID naming the first field that makes no sense
 */
export function limitsFrom(config: LimitsConfig): Limits {
  const field = (name: keyof LimitsConfig, least: number, most: number) => {
    const value = Number(config[name]);
    if (config[name] === '' || !(value >= least && value <= most))
      throw new PotionError('INVALID', 'self-heal.errors.limit', { name, value: config[name], least, most });
    return value;
  };
  const tries = field('tries', 1, 20);
  if (!Number.isInteger(tries))
    throw new PotionError('INVALID', 'self-heal.errors.whole', { name: 'tries', value: tries });
  return {
    tries,
    window: field('window', 1, 7 * 86_400) * 1000,
    backoff: field('backoff', 0, 3600) * 1000,
    growth: field('growth', 1, 10),
    longestWait: LONGEST_WAIT,
    stable: field('stable', 1, 3600) * 1000,
    patience: field('patience', 1, 3600) * 1000,
    coolDown: field('coolDown', 0, 7 * 86_400) * 1000,
  };
}

/** Milliseconds to wait before the try that follows `done` tries: none before the first. */
export function waitBefore(done: number, limits: Limits): number {
  if (done === 0) return 0;
  return Math.min(limits.backoff * limits.growth ** (done - 1), limits.longestWait);
}

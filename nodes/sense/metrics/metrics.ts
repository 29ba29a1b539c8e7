import type { Cancel, Clock } from '../../kit/clock.js';
import { config as environment } from '../../kit/config.js';
import { type Behaviour, defineNode, type NodeContext, type Status } from '../../kit/define-node.js';
import { PotionError } from '../../kit/errors.js';
import type { Message } from '../../kit/messages.js';
import { ailing, alive } from '../../kit/pulse.js';
import { type Latest, reuse } from './latest.js';
import { Baselines, GROUPS, type Group, type Sample, Sampler } from './sampler.js';

interface MetricsConfig extends Partial<Record<Group, boolean>> {
  version: number;
  /** Seconds between two samples; 0: only when a message comes in. */
  interval: number | string;
  /** Seconds: a sample that another node has taken is given out while it is not older; 0 measures anew. */
  maxAge?: number | string;
}

/** Silence for so many intervals, and for at least a minute, counts as trouble with the sampler. */
const PATIENCE = 3;
const SHORTEST_PATIENCE = 60_000;

/** Milliseconds until the first sample: what is sent before all nodes of the flow are there is lost. */
const WARM_UP = 1000;

export default defineNode<MetricsConfig>({
  type: 'potion-metrics',
  version: 1,

  check(config) {
    const interval = Number(config.interval);
    if (!(interval === 0 || (interval >= 1 && interval <= 86_400)))
      throw new PotionError('INVALID', 'errors.metrics-interval', { interval: config.interval });
    if (!(Number(config.maxAge ?? 0) >= 0))
      throw new PotionError('INVALID', 'errors.metrics-age', { age: config.maxAge });
    if (groupsOf(config).length === 0) throw new PotionError('INVALID', 'errors.metrics-groups');
  },

  create: (ctx) => metrics(ctx),
});

/**
 * What all metrics nodes share: one that measures on demand gets its rates from the last sample of the one that
 * measures all the time, instead of none at first and those of hours later; or that sample itself.
 */
interface Shared {
  baselines: Baselines;
  latest?: Latest;
}

const byClock = new WeakMap<Clock, Shared>();

function sharedOf(clock: Clock): Shared {
  const known = byClock.get(clock) ?? { baselines: new Baselines() };
  byClock.set(clock, known);
  return known;
}

function groupsOf(config: MetricsConfig): Group[] {
  return GROUPS.filter((group) => config[group]);
}

function metrics(ctx: NodeContext<MetricsConfig>): Behaviour {
  const interval = Number(ctx.config.interval) * 1000;
  const maxAge = Number(ctx.config.maxAge ?? 0) * 1000;
  const groups = groupsOf(ctx.config);
  const shared = sharedOf(ctx.clock);
  const sampler = new Sampler({
    groups,
    clock: ctx.clock,
    hddMount: environment().hddMount,
    baselines: shared.baselines,
  });
  const timers: Cancel[] = [];
  let running: Promise<Message> | undefined;

  async function take(): Promise<Message> {
    const { clock } = ctx;
    const timestamp = clock.now();
    const at = clock.monotonic();
    const payload = await sampler.sample();
    shared.latest = { at, timestamp, groups, sample: payload };
    ctx.status(statusOf(ctx, payload));
    // A node without an interval samples for others; only one that samples by itself is the machine's pulse.
    if (interval > 0) pulse(payload, timestamp, interval);
    return { topic: 'metrics', timestamp, payload };
  }

  /** A sample for whoever asks: the last one of any node, where that will do. */
  async function answer(): Promise<Message> {
    const known = reuse(shared.latest, groups, ctx.clock.monotonic(), maxAge);
    if (!known) return sample();
    ctx.status(statusOf(ctx, known.sample));
    return { topic: 'metrics', timestamp: known.timestamp, payload: known.sample };
  }

  /** Whoever asks while a sample is being taken gets that one. */
  function sample(): Promise<Message> {
    running ??= take().finally(() => {
      running = undefined;
    });
    return running;
  }

  function sampleAlone(): void {
    if (running) return;
    sample().then(
      (msg) => ctx.send(msg),
      (thrown: unknown) => ctx.fail(thrown),
    );
  }

  return {
    start() {
      if (interval === 0) return;
      timers.push(ctx.clock.after(WARM_UP, sampleAlone), ctx.clock.every(interval, sampleAlone));
    },
    // A copy, because the message that the timer sends may carry the same sample.
    input: async (msg) => ({ ...msg, ...structuredClone(await answer()) }),
    stop() {
      for (const cancel of timers) cancel();
      sampler.stop();
    },
  };
}

/** Tells health that the machine was sampled, or that there was nothing to be had. */
function pulse(sample: Sample, now: number, interval: number): void {
  const { missing, ...values } = sample;
  const isBlind = Object.keys(values).length === 0 && faultsOf(sample).length > 0;
  if (isBlind) ailing('sampler', `no reading could be taken (${Object.entries(missing).join('; ')})`, now);
  else alive('sampler', now, Math.max(SHORTEST_PATIENCE, PATIENCE * interval));
}

/** What is absent for a reason that nobody can mend is no fault. */
const HARMLESS = ['first-sample', 'none', 'not-mounted'];

function faultsOf({ missing }: Sample): string[] {
  return Object.keys(missing).filter((name) => !HARMLESS.includes(missing[name] ?? ''));
}

function statusOf(ctx: NodeContext<MetricsConfig>, sample: Sample): Status {
  const faults = faultsOf(sample);
  if (faults.length === 0)
    return { fill: 'green', text: ctx.t('metrics.status.ok', { ...sample, root: sample.disks?.['/'] }) };
  return {
    fill: 'yellow',
    shape: 'ring',
    text: ctx.t('metrics.status.missing', { names: faults.join(', ') }),
  };
}

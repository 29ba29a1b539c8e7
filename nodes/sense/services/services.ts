import { checkedUnit, Systemd, type UnitState, type Unwatch } from '../../host/systemd.js';
import { countHealth } from '../../host/unit-state.js';
import { config, onConfigChange } from '../../kit/config.js';
import { type Behaviour, defineNode, type NodeContext } from '../../kit/define-node.js';
import type { Message } from '../../kit/messages.js';
import { changeOf } from './change.js';

interface ServicesConfig {
  /** Units to watch, separated by spaces or commas; empty: all of the whitelist. */
  units: string;
  /** Send the state of each unit when the node starts. */
  initial: boolean;
}

export default defineNode<ServicesConfig>({
  type: 'potion-services',
  version: 1,

  check({ units }) {
    unitsOf(units);
  },

  create: (ctx) => services(ctx),
});

/** @throws PotionError INVALID */
function unitsOf(field = ''): string[] {
  const named = field.split(/[\s,]+/).filter(Boolean);
  return named.length > 0 ? [...new Set(named.map(checkedUnit))] : [...config().servicesWhitelist];
}

function services(ctx: NodeContext<ServicesConfig>): Behaviour {
  const states = new Map<string, UnitState>();
  const watches = new Map<string, Unwatch>();
  let systemd: Systemd | undefined;
  let flowsStarted = false;

  function onChange(state: UnitState, previous?: UnitState): void {
    if (!watches.has(state.unit)) return;
    states.set(state.unit, state);
    showStatus();
    const change = changeOf(state, previous);
    if (!change || (!previous && !ctx.config.initial)) return;
    ctx.send({ topic: state.unit, timestamp: ctx.clock.now(), payload: change });
  }

  function showStatus(): void {
    if (systemd?.trouble) {
      ctx.status({ fill: 'red', shape: 'ring', text: ctx.t('services.status.lost') });
      return;
    }
    const counts = countHealth(states.values());
    const fill = counts.failed > 0 ? 'red' : counts.busy + counts.missing > 0 ? 'yellow' : 'green';
    ctx.status({ fill: watches.size > 0 ? fill : 'grey', text: ctx.t('unit.summary', counts) });
  }

  /** Watches what is to be watched now, and nothing else. */
  function follow(): void {
    if (!systemd || !flowsStarted || ctx.signal.aborted) return;
    const units = unitsOf(ctx.config.units);
    for (const [unit, unwatch] of watches) {
      if (units.includes(unit)) continue;
      watches.delete(unit);
      states.delete(unit);
      unwatch().catch((thrown: unknown) => ctx.fail(thrown));
    }
    for (const unit of units) if (!watches.has(unit)) watches.set(unit, systemd.watch([unit], onChange));
    showStatus();
  }

  // What is sent before all nodes are there would be lost.
  const onFlowsStarted = () => {
    flowsStarted = true;
    follow();
  };
  ctx.RED.events.once('flows:started', onFlowsStarted);
  const unfollow = onConfigChange(follow);

  return {
    async start() {
      systemd = await Systemd.connect({ patient: true, clock: ctx.clock });
      systemd.onLost(showStatus);
      systemd.onBack(showStatus);
      if (systemd.trouble) ctx.warn(systemd.trouble.message);
      showStatus();
      follow();
    },

    async input(msg: Message) {
      const payload = (await systemd?.states(unitsOf(ctx.config.units))) ?? [];
      return { ...msg, payload, timestamp: ctx.clock.now() };
    },

    async stop() {
      ctx.RED.events.removeListener('flows:started', onFlowsStarted);
      unfollow();
      await systemd?.close();
    },
  };
}

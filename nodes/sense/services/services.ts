import { checkedUnit, Systemd, type UnitState, type Unwatch } from '../../host/systemd.js';
import { countHealth } from '../../host/unit-state.js';
import { config } from '../../kit/config.js';
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
  const units = unitsOf(ctx.config.units);
  const states = new Map<string, UnitState>();
  let systemd: Systemd | undefined;
  let unwatch: Unwatch | undefined;
  let flowsStarted = false;

  function onChange(state: UnitState, previous?: UnitState): void {
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
    ctx.status({ fill: units.length > 0 ? fill : 'grey', text: ctx.t('unit.summary', counts) });
  }

  // What is sent before all nodes are there would be lost.
  const onFlowsStarted = () => {
    flowsStarted = true;
    if (systemd && !unwatch && !ctx.signal.aborted) unwatch = systemd.watch(units, onChange);
  };
  ctx.RED.events.once('flows:started', onFlowsStarted);

  return {
    async start() {
      systemd = await Systemd.connect({ patient: true, clock: ctx.clock });
      systemd.onLost(showStatus);
      systemd.onBack(showStatus);
      if (systemd.trouble) ctx.warn(systemd.trouble.message);
      showStatus();
      if (flowsStarted) onFlowsStarted();
    },

    async input(msg: Message) {
      const payload = (await systemd?.states(units)) ?? [];
      return { ...msg, payload, timestamp: ctx.clock.now() };
    },

    async stop() {
      ctx.RED.events.removeListener('flows:started', onFlowsStarted);
      await systemd?.close();
    },
  };
}

import { uptime } from 'node:os';
import { watchAlert } from '../../kit/alert-watches.js';
import type { Cancel } from '../../kit/clock.js';
import { type Behaviour, defineNode, type NodeContext, type Out } from '../../kit/define-node.js';
import type { Message } from '../../kit/messages.js';
import { database } from '../../state/database.js';
import { messageOf, messageToSay } from './delivery.js';
import { AlertKeeper, type Outcome } from './keeper.js';
import { type AlertConfig, ruleOf } from './rule.js';
import { seriesOf, sourceOf } from './series.js';
import { shownOf } from './status.js';

/** How often it is looked whether messages have stopped coming, and whether sent ones may be forgotten, ms. */
const LOOK = 15_000;

export default defineNode<AlertConfig>({
  type: 'potion-alert',
  version: 1,
  check(config) {
    ruleOf(config);
    sourceOf(config.property, config.code);
  },
  create: (ctx) => alert(ctx),
});

function alert(ctx: NodeContext<AlertConfig>): Behaviour {
  const { config, clock } = ctx;
  const wording = { unit: config.unit, label: config.label, severity: config.severity };
  const source = sourceOf(config.property, config.code);
  const judge = { node: ctx.id, rule: ruleOf(config), wording, env: process.env };
  const keeper = new AlertKeeper({ judge, source, clock, database, report: (thrown) => ctx.fail(thrown) });
  let cancel: Cancel = () => {};
  let unwatch = () => {};

  function outputs({ told, changes }: Outcome, msg: Message): Out | undefined {
    show();
    if (told.length === 0 && changes.length === 0) return undefined;
    const born = (extra: Message): Message => ({
      ...(ctx.RED.util.cloneMessage(msg as never) as Message),
      ...extra,
    });
    return [
      told.map((delivery) => born(messageToSay(delivery))),
      changes.map((delivery) => born(messageOf(delivery))),
    ];
  }

  function show(): void {
    const { text, data, ...looks } = shownOf(keeper.states, config.unit);
    ctx.status({ ...looks, text: ctx.t(text, data) });
  }

  const sendAlone = (outcome: Promise<Outcome>): void => {
    outcome
      .then((result) => {
        const out = outputs(result, {});
        if (out) ctx.send(out);
      })
      .catch((thrown: unknown) => ctx.fail(thrown));
  };
  // What is sent before all nodes of the flow are there is lost.
  const sendUnsent = () => sendAlone(keeper.unsent());

  function look(): void {
    sendAlone(keeper.look());
    keeper.settle().catch((thrown: unknown) => ctx.fail(thrown));
  }

  return {
    async start() {
      const { operator, threshold } = judge.rule;
      const series = () => keeper.states;
      unwatch = watchAlert({ node: ctx.id, code: source.code, ...wording, operator, threshold, series });
      ctx.RED.events.once('flows:started', sendUnsent);
      cancel = clock.every(LOOK, look);
      await keeper.start(clock.now() - uptime() * 1000);
      show();
    },

    async input(msg) {
      const at = Number.isFinite(msg.timestamp) ? (msg.timestamp as number) : clock.now();
      return outputs(await keeper.take(seriesOf(source, msg), at), msg);
    },

    stop(removed) {
      ctx.RED.events.removeListener('flows:started', sendUnsent);
      cancel();
      unwatch();
      return keeper.stop(removed);
    },
  };
}

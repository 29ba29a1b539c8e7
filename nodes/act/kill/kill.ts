import { readProcesses } from '../../host/process-table.js';
import { describeProcess, type ProcessInfo } from '../../host/processes.js';
import { askHelper } from '../../host/root-helper.js';
import { isAlive, signalProcess } from '../../host/signal.js';
import { config as environment } from '../../kit/config.js';
import { type Behaviour, defineNode, type NodeContext } from '../../kit/define-node.js';
import { PotionError, toPotionError } from '../../kit/errors.js';
import type { Message, Say } from '../../kit/messages.js';
import { ACTIONS, type Action, readNamed, target } from './rules.js';

interface KillConfig {
  action: Action;
  /** Seconds that the process has to end. */
  wait: number | string;
}

/** The process that is to end, as it was shown. */
type Doomed = Pick<ProcessInfo, 'pid' | 'start' | 'name' | 'user' | 'unit' | 'command'>;

/** How often to look whether it has ended, ms: nothing tells of the end of another's child. */
const LOOK_EVERY = 100;

export default defineNode<KillConfig>({
  type: 'potion-kill',
  version: 1,
  check({ action, wait }) {
    if (!ACTIONS.includes(action))
      throw new PotionError('INVALID', 'kill.errors.action', { action: String(action) });
    if (!(Number(wait) > 0 && Number(wait) <= 60))
      throw new PotionError('INVALID', 'kill.errors.wait', { wait });
  },
  create: (ctx) => kill(ctx),
});

function kill(ctx: NodeContext<KillConfig>): Behaviour {
  return {
    async input(msg: Message) {
      const action = (msg.action ?? ctx.config.action) as Action;
      if (!ACTIONS.includes(action))
        throw new PotionError('INVALID', 'kill.errors.action', { action: String(action).slice(0, 40) });
      const doomed = look(ctx, msg);
      if (action === 'check') return check(ctx, msg, doomed);
      const ended = await end(ctx, doomed, action === 'term' ? 'TERM' : 'KILL');
      const out: Message = { ...msg, payload: { ...doomed, signal: action, ended } };
      if (ended) return [{ ...out, say: told(ctx, doomed, action) }, null];
      if (action === 'term') return [null, out];
      throw new PotionError('FAILED', 'kill.errors.undying', { ...doomed });
    },
  };
}

/** The process as it is now, if it may be ended. */
function look({ clock }: NodeContext<KillConfig>, msg: Message): Doomed {
  const table = readProcesses();
  const line = target(readNamed(msg), table, process.pid);
  const { pid, start, name, user, unit, command } = describeProcess(
    line,
    { used: new Map(), seconds: 0 },
    clock.now(),
  );
  return { pid, start, name, user, unit, command };
}

/** Whether Potion may do it, before anybody is asked. */
async function check(ctx: NodeContext<KillConfig>, msg: Message, doomed: Doomed) {
  const { pid, start, unit } = doomed;
  const may = signalProcess(pid, start, 0);
  if (may === 'gone') throw new PotionError('NOT_FOUND', 'errors.process-gone', { pid });
  const payload = { ...doomed };
  if (may === 'sent') return [{ ...msg, payload }, null];
  if (!environment().servicesWhitelist.includes(unit)) {
    await throughHelper(ctx, doomed, 'CHECK');
    return [{ ...msg, payload }, null];
  }
  const say: Say = {
    text: 'kill.instead',
    data: { payload },
    outcome: 'DENIED',
    buttons: [
      [{ label: ctx.t('kill.restart', { unit }), command: `/svc restart ${unit}` }],
      [{ label: ctx.t('kill.back'), command: `/process ${pid} ${start}` }],
    ],
  };
  return [null, { ...msg, payload, say }];
}

function told({ t }: NodeContext<KillConfig>, payload: Doomed, action: Action): Say {
  return {
    text: 'kill.done',
    data: { payload, action },
    buttons: [[{ label: t('kill.processes'), command: '/top' }]],
  };
}

/** Sends the signal and waits for the end. @returns whether it has ended */
async function end(ctx: NodeContext<KillConfig>, doomed: Doomed, signal: 'TERM' | 'KILL'): Promise<boolean> {
  const { t } = ctx;
  const { pid, start } = doomed;
  const own = signalProcess(pid, start, `SIG${signal}`);
  const sent = own === 'denied' ? await throughHelper(ctx, doomed, signal) : own;
  ctx.status({ fill: 'blue', text: t('kill.status.sent', { pid, signal }) });
  const ended = sent === 'gone' || (await gone(ctx, () => !isAlive(pid, start)));
  const fill = ended ? 'green' : 'yellow';
  ctx.status({ fill, text: t(ended ? 'kill.status.ended' : 'kill.status.lives', { pid }) });
  return ended;
}

/**
 * Has a person's process signalled by the helper, which looks for itself whether it is one.
 * @throws PotionError DENIED with what to do instead
 */
async function throughHelper(
  { signal: closing }: NodeContext<KillConfig>,
  doomed: Doomed,
  signal: 'TERM' | 'KILL' | 'CHECK',
): Promise<'sent' | 'gone'> {
  const { pid, start } = doomed;
  try {
    await askHelper('process.signal', { pid, start, signal }, { signal: closing });
    return 'sent';
  } catch (thrown) {
    const { code, text } = toPotionError(thrown).cause;
    if (code === 'NOT_FOUND' && signal !== 'CHECK') return 'gone';
    if (text === 'errors.helper-guarded')
      throw new PotionError('DENIED', 'kill.errors.guarded', { ...doomed });
    if (text === 'errors.helper-missing')
      throw new PotionError('DENIED', 'kill.errors.not-mine', { ...doomed });
    throw thrown;
  }
}

/** Looks again and again, but not for longer than set. */
function gone({ clock, config, signal }: NodeContext<KillConfig>, look: () => boolean): Promise<boolean> {
  const until = clock.monotonic() + Number(config.wait) * 1000;
  return new Promise((resolve) => {
    const again = () => {
      const over = look();
      if (over || signal.aborted || clock.monotonic() >= until) resolve(over);
      else clock.after(LOOK_EVERY, again);
    };
    again();
  });
}

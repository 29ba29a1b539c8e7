import { type JournalLine, lastLines } from '../../host/journalctl.js';
import { Systemd, type UnitState } from '../../host/systemd.js';
import { countHealth } from '../../host/unit-state.js';
import { config } from '../../kit/config.js';
import { type Behaviour, defineNode, type NodeContext } from '../../kit/define-node.js';
import { type ErrorCode, type Failure, PotionError, toPotionError } from '../../kit/errors.js';
import type { Message } from '../../kit/messages.js';
import { database } from '../../state/database.js';
import { clearStopped, markStopped, stoppedByAdmin } from '../../state/intent.js';
import {
  ACTIONS,
  type Action,
  type Change,
  isFinished,
  linesOf,
  readRequest,
  unitsOf,
  verify,
} from './request.js';

interface SystemctlConfig {
  action: Action;
  /** Units that this node may touch, of those on the whitelist; empty: all of them. */
  units: string;
  /** Milliseconds for which a unit has to stay up after its start. */
  settle: number | string;
  /** Lines of the journal that come with the state of a unit that has failed. */
  lines?: number | string;
}

/** What came of it. */
interface Outcome {
  unit: string;
  action: 'status' | Change;
  ok: true;
  before: UnitState;
  after: UnitState;
  /** Seconds. */
  took: number;
  /** What the journal has of it last, with `status` alone; or why it can't be read. */
  log?: JournalLine[];
  logFailure?: Failure;
}

// One operation at a time for each unit, whichever node it is asked of.
const underWay = new Set<string>();

export default defineNode<SystemctlConfig>({
  type: 'potion-systemctl',
  version: 1,

  check({ action, settle, lines = 0 }) {
    if (!ACTIONS.includes(action))
      throw new PotionError('INVALID', 'systemctl.errors.action', { action: String(action) });
    if (!(Number(settle) >= 0 && Number(settle) <= 60_000))
      throw new PotionError('INVALID', 'systemctl.errors.settle', { settle });
    if (!(Number(lines) >= 0 && Number(lines) <= 200))
      throw new PotionError('INVALID', 'systemctl.errors.lines', { lines });
  },

  create: (ctx) => systemctl(ctx),
});

function systemctl(ctx: NodeContext<SystemctlConfig>): Behaviour {
  let connection: Promise<Systemd> | undefined;

  /** Opened when it is first needed, and anew after it could not be had. */
  function connect(): Promise<Systemd> {
    connection ??= Systemd.connect({ clock: ctx.clock }).catch((thrown: unknown) => {
      connection = undefined;
      throw thrown;
    });
    return connection;
  }

  async function list(units: readonly string[]): Promise<UnitState[]> {
    const states = await (await connect()).states(units);
    const counts = countHealth(states);
    ctx.status({ fill: counts.failed > 0 ? 'red' : 'green', text: ctx.t('unit.summary', counts) });
    return states;
  }

  async function operate(action: 'status' | Change, unit: string, user: number | null): Promise<Outcome> {
    const started = ctx.clock.monotonic();
    const systemd = await connect();
    const before = await systemd.state(unit);
    if (!before.exists) throw new PotionError('NOT_FOUND', 'errors.unit-missing', { unit });
    const after = action === 'status' ? before : await carryOut(ctx, systemd, action, before, user);
    show(ctx, after);
    return { unit, action, ok: true, before, after, took: (ctx.clock.monotonic() - started) / 1000 };
  }

  return {
    async input(msg: Message) {
      const units = unitsOf(ctx.config.units, config().servicesWhitelist);
      const asked = readRequest(msg, ctx.config.action, units);
      if (asked.action === 'list') return { ...msg, payload: await list(units) };
      const { action, unit } = asked;
      if (action === 'status') {
        const outcome = await operate(action, unit, null);
        const lines = linesOf(msg, outcome.after, Number(ctx.config.lines ?? 0));
        return { ...msg, payload: { ...outcome, ...(await logOf(ctx, unit, lines)) } };
      }
      if (underWay.has(unit)) throw new PotionError('BUSY', 'systemctl.errors.busy', { unit });
      underWay.add(unit);
      try {
        ctx.status({ fill: 'blue', text: ctx.t('systemctl.status.busy', { unit, action }) });
        return { ...msg, payload: await operate(action, unit, msg.request?.user ?? null) };
      } finally {
        underWay.delete(unit);
      }
    },

    async stop() {
      await (await connection?.catch(() => undefined))?.close();
    },
  };
}

/** Does it, keeps what the person wants of the unit, and looks whether it came true. */
async function carryOut(
  ctx: NodeContext<SystemctlConfig>,
  systemd: Systemd,
  action: Change,
  before: UnitState,
  user: number | null,
): Promise<UnitState> {
  const { unit } = before;
  await withIntent(ctx, unit, action === 'stop', user, async () => {
    if (action !== 'stop' && before.condition === 'start-limit-hit') await liftStartLimit(systemd, unit);
    await systemd[action](unit, { signal: ctx.signal });
  });
  const after = await systemd.state(unit);
  const settled = action === 'stop' || isFinished(after) ? after : await settle(ctx, systemd, unit);
  const failure = verify(action, after, settled);
  if (failure) throw failure;
  return settled;
}

/** The end of a unit's journal. That it can't be read is a fact among others, not the end of the message. */
async function logOf(
  ctx: NodeContext<SystemctlConfig>,
  unit: string,
  lines: number,
): Promise<Pick<Outcome, 'log' | 'logFailure'>> {
  if (lines === 0) return {};
  try {
    return { log: await lastLines(unit, lines, { signal: ctx.signal }) };
  } catch (thrown) {
    return { logFailure: toPotionError(thrown).cause };
  }
}

// The unit is as it was, so what was wanted of it before still holds.
const REFUSED: readonly ErrorCode[] = ['DENIED', 'NOT_FOUND', 'INVALID', 'BUSY', 'LIMITED'];

/**
 * Carries out a wish. It is kept before it takes effect, so that nobody who sees the unit go down takes that
 * for a failure, and taken back when it was refused.
 */
async function withIntent(
  ctx: NodeContext<SystemctlConfig>,
  unit: string,
  down: boolean,
  user: number | null,
  work: () => Promise<void>,
): Promise<void> {
  const db = await database();
  const keep = (stopped: boolean) =>
    stopped ? markStopped(db, unit, user, ctx.clock.now()) : clearStopped(db, unit);
  const before = await stoppedByAdmin(db, unit);
  await keep(down);
  try {
    await work();
  } catch (thrown) {
    if (before !== down && REFUSED.includes(toPotionError(thrown).code)) await keep(before);
    throw thrown;
  }
}

/** Whoever asks for a start by hand wants it now, not when systemd's limit is over. */
async function liftStartLimit(systemd: Systemd, unit: string): Promise<void> {
  try {
    await systemd.resetFailed(unit);
  } catch (thrown) {
    // Without that right the start is still tried; the limit may be over by now.
    if (toPotionError(thrown).code !== 'DENIED') throw thrown;
  }
}

/** Waits and looks again. */
async function settle(ctx: NodeContext<SystemctlConfig>, systemd: Systemd, unit: string): Promise<UnitState> {
  await new Promise<void>((resolve) => {
    const end = () => {
      cancel();
      ctx.signal.removeEventListener('abort', end);
      resolve();
    };
    const cancel = ctx.clock.after(Number(ctx.config.settle), end);
    ctx.signal.addEventListener('abort', end);
    if (ctx.signal.aborted) end();
  });
  return systemd.state(unit);
}

const FILL = { ok: 'green', busy: 'yellow', off: 'grey', failed: 'red', missing: 'red' } as const;

function show(ctx: NodeContext<SystemctlConfig>, { unit, condition, health }: UnitState): void {
  const words = ctx.t(`unit.condition.${condition}`);
  ctx.status({ fill: FILL[health], text: `${unit}: ${words}` });
}

import { bootId } from '../../host/boot-id.js';
import { countHealth, type UnitState } from '../../host/unit-state.js';
import { config as environment } from '../../kit/config.js';
import { defineNode, type NodeContext } from '../../kit/define-node.js';
import { door } from '../../kit/door.js';
import { PotionError } from '../../kit/errors.js';
import type { Incident, Message } from '../../kit/messages.js';
import { activeSilences, readAlerts } from '../../state/alerts.js';
import { database } from '../../state/database.js';
import { beginnings } from '../../state/lifecycle.js';
import { waiting } from '../../state/outbox-delivery.js';
import { type Facts, judge, type Level } from './concerns.js';
import { remediesOf } from './remedies.js';

/** The part of a sample of the metrics node that is judged; all of it is passed on. */
interface Sample {
  missing?: Record<string, string>;
  disks?: Record<string, object>;
  network?: Record<string, { rx: number; tx: number }>;
}

/** Interfaces worth a line. */
const BUSIEST = 4;

export default defineNode<object>({
  type: 'potion-overview',
  version: 1,
  create: (ctx) => ({ input: (msg) => overview(ctx, msg) }),
});

async function overview({ clock, status, t }: NodeContext<object>, msg: Message): Promise<Message> {
  const { metrics, services } = readingsOf(msg);
  const now = clock.now();
  const known = await whatPotionKnows(now);
  const { level, concerns } = judge({ ...known, now, missing: metrics.missing ?? {}, services });
  show(level, concerns.length);
  const payload = {
    level,
    concerns,
    remedies: remediesOf(concerns, (command) => door.find(command) !== undefined),
    metrics,
    hdd: hddOf(metrics, environment().hddMount),
    busiest: busiestOf(metrics.network),
    services: services ?? null,
    counts: services ? countHealth(services) : null,
    ...known,
  };
  return { ...msg, payload };

  function show(level: Level, count: number): void {
    const fill = { ok: 'green', warning: 'yellow', critical: 'red' } as const;
    status({ fill: fill[level], text: t(`overview.status.${level}`, { count }) });
  }
}

/**
 * A sample is the payload, or `msg.metrics` where the payload has the states of the services.
 * @throws PotionError INVALID when there is none
 */
function readingsOf({ payload, metrics = payload }: Message): {
  metrics: Sample;
  services: Facts['services'];
} {
  if (typeof metrics !== 'object' || metrics === null || Array.isArray(metrics))
    throw new PotionError('INVALID', 'overview.errors.no-sample');
  if (metrics === payload) return { metrics, services: undefined };
  return { metrics, services: Array.isArray(payload) ? (payload as UnitState[]) : null };
}

/** What stands in the database: alerts, messages that wait, and how this boot and this process began. */
async function whatPotionKnows(now: number) {
  const db = await database();
  const [alerts, silences, backlog, began] = await Promise.all([
    readAlerts<{ phase?: string }>(db),
    activeSilences(db, now),
    waiting(db),
    beginnings(db, bootId()),
  ]);
  const firing = alerts
    .flatMap(({ state, incident }): Incident[] => (state && incident?.state === 'firing' ? [incident] : []))
    .sort((a, b) => a.since - b.since);
  const pending = alerts.filter(({ state }) => state?.phase === 'pending').map(({ code }) => code);
  return { firing, pending: [...new Set(pending)], silences, backlog, began };
}

/** The data disk; null where none is meant to be there. */
function hddOf({ disks, missing }: Sample, path: string): object | null {
  if (!path) return null;
  return { path, room: disks?.[path] ?? null, why: missing?.[`disk:${path}`] ?? null };
}

function busiestOf(network: Sample['network'] = {}): object[] {
  return Object.entries(network)
    .map(([name, { rx, tx }]) => ({ name, rx, tx }))
    .sort((a, b) => b.rx + b.tx - (a.rx + a.tx))
    .slice(0, BUSIEST);
}

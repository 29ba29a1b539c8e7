import { uptime } from 'node:os';
import { bootId } from '../../nodes/host/boot-id.js';
import { lookAtApi } from './bot-api.js';
import { lookAtDisks } from './disks.js';
import { lookAtHealth } from './endpoint.js';
import type { Findings, LogsFinding, UnitFinding } from './findings.js';
import { installingSince } from './installation.js';
import { within } from './limit.js';
import { lookAtLogs } from './logs.js';
import { type Settings, waysOf } from './settings.js';
import { lookAtUnit } from './unit.js';

/** Milliseconds for each look; all run side by side. */
const LIMITS = { health: 5000, unit: 8000, api: 10_000, disks: 5000, logs: 5000 };

/** Looks at everything once. Never throws, and takes no longer than the longest limit. */
export async function lookAround({ config, problems }: Settings): Promise<Findings> {
  const [health, unit, api, disks, logs, installing] = await Promise.all([
    lookAtHealth(config, LIMITS.health),
    within<UnitFinding>(
      LIMITS.unit,
      () => lookAtUnit(LIMITS.unit - 1000),
      (why) => ({ load: 'unknown', why }),
    ),
    Promise.all(waysOf(config).map((way) => lookAtApi(config.telegramApiUrl, way, LIMITS.api))),
    lookAtDisks(config, LIMITS.disks),
    within<LogsFinding>(
      LIMITS.logs,
      () => lookAtLogs(config.logDir),
      () => ({}),
    ),
    installingSince(),
  ]);
  return {
    at: Date.now(),
    boot: bootId(),
    uptime: uptime(),
    health,
    unit,
    api,
    disks,
    logs,
    ...(installing === undefined ? {} : { installing }),
    settings: problems,
  };
}

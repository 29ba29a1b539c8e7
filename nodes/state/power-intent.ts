import type { Request } from '../kit/messages.js';
import type { Database } from './database.js';
import { removeSetting, storedSettings, writeSetting } from './settings.js';

/** A reboot or power-off that a person wants. */
export interface PowerIntent {
  action: 'reboot' | 'power-off';
  /** `countdown`: it may still be cancelled; `begun`: the machine has been asked, or is just about to be. */
  phase: 'countdown' | 'begun';
  /** Epoch ms of the phase. */
  at: number;
  /** The boot that it is to end. */
  bootId: string;
  /** The confirmed request that it goes back to. */
  request: Request;
}

const KEY = 'power-intent';

/** Keeps it, with full sync, before it takes effect. */
export function keepPowerIntent(db: Database, intent: PowerIntent): Promise<void> {
  return writeSetting(db, KEY, intent, { user: intent.request.user, at: intent.at });
}

/** What was wanted last and has not been told of since. */
export async function powerIntent(db: Database): Promise<PowerIntent | undefined> {
  const kept = (await storedSettings(db, KEY)).get(KEY);
  return isIntent(kept) ? kept : undefined;
}

/** It was cancelled, has failed, or has been told of. */
export async function forgetPowerIntent(db: Database): Promise<void> {
  await removeSetting(db, KEY);
}

function isIntent(kept: unknown): kept is PowerIntent {
  const { action, phase, at, bootId, request } = (kept ?? {}) as Partial<PowerIntent>;
  return (
    (action === 'reboot' || action === 'power-off') &&
    (phase === 'countdown' || phase === 'begun') &&
    typeof at === 'number' &&
    typeof bootId === 'string' &&
    typeof request?.id === 'string'
  );
}

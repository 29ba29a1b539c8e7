import { type FSWatcher, watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { run } from '../kit/run.js';

/** What root's upgrade of Potion has written down, see ops/install/pull.mjs. */
export interface UpgradeRecord {
  /** `refused`: nothing was tried; `failed`: the release that runs was not touched. */
  state: 'running' | 'upgraded' | 'rolled-back' | 'failed' | 'refused';
  /** That was asked for. */
  commit: string;
  from: { id: string; commit: string; version: string };
  /** Epoch ms. */
  startedAt: number;
  endedAt?: number;
  /** The release that runs at the end. */
  id?: string;
  /** What is being done, in the words of the installer. */
  step?: string;
  /** For `refused` a word of sourceError(), else a sentence. */
  reason?: string;
  /** What was said last. */
  detail?: string;
}

const FILE = '/opt/potion/last-upgrade.json';
const STATES = ['running', 'upgraded', 'rolled-back', 'failed', 'refused'];

/** @returns undefined when there was no upgrade yet */
export async function upgradeRecord(file = FILE): Promise<UpgradeRecord | undefined> {
  try {
    const record = JSON.parse(await readFile(file, 'utf8'));
    return STATES.includes(record.state) && typeof record.from?.id === 'string' ? record : undefined;
  } catch {
    return undefined;
  }
}

/** Calls `changed` whenever the record is written. @returns the end of that */
export function onUpgradeRecord(changed: () => void, file = FILE): () => void {
  let watcher: FSWatcher | undefined;
  try {
    watcher = watch(dirname(file), (_, name) => {
      if (name === null || name === basename(file)) changed();
    });
    watcher.on('error', () => watcher?.close());
  } catch {
    // There is no such folder: this Potion was not installed.
  }
  return () => watcher?.close();
}

/** Whether the upgrade to this commit is at work. */
export async function isUpgradingTo(commit: string, signal: AbortSignal): Promise<boolean> {
  const unit = `potion-upgrade@${commit}.service`;
  const { stdout } = await run('systemctl', ['show', '--property=ActiveState,Job', unit], { signal });
  return /^ActiveState=(active|activating|deactivating|reloading)$|^Job=[1-9]/m.test(stdout);
}

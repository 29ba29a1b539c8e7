import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ownRelease, type Release } from '../../host/own-release.js';
import { config } from '../../kit/config.js';

/** Which Potion this is, and what it takes of the machine. */
export interface About extends Release {
  /** Version of Node-RED. */
  nodeRed: string;
  /** Version of Node.js. */
  node: string;
  /** Seconds since the process started. */
  uptime: number;
  /** Bytes. */
  memory: number;
  database: number;
  logs: number;
}

/** @param nodeRed version of the Node-RED that this runs in */
export function about(nodeRed: string): About {
  const { dataDir, logDir } = config();
  return {
    ...ownRelease(),
    nodeRed,
    node: process.version.replace(/^v/, ''),
    uptime: process.uptime(),
    memory: process.memoryUsage.rss(),
    database: ['', '-wal', '-shm'].reduce((sum, end) => sum + sizeOf(join(dataDir, `potion.db${end}`)), 0),
    logs: filesIn(logDir).reduce((sum, name) => sum + sizeOf(join(logDir, name)), 0),
  };
}

function sizeOf(file: string): number {
  try {
    const found = statSync(file);
    return found.isFile() ? found.size : 0;
  } catch {
    return 0;
  }
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

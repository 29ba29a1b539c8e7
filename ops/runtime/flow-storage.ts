import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../nodes/kit/config.js';

export function flowStorage(config: Config) {
  const file = join(config.dataDir, 'flows.json');
  return {
    async init() {
      mkdirSync(config.dataDir, { recursive: true });
    },
    async getFlows() {
      try {
        return JSON.parse(readFileSync(file, 'utf8'));
      } catch {
        return [];
      }
    },
    async saveFlows(flows: unknown) {
      writeFileSync(file, JSON.stringify(flows));
    },
    async getCredentials() {
      return {};
    },
    async saveCredentials() {},
    async getLibraryEntry() {
      return [];
    },
    async saveLibraryEntry() {},
  };
}

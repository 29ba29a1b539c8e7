import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import helper from 'node-red-node-test-helper';
import { readConfig, setConfig } from '../../nodes/kit/config.js';
import type { Database } from '../../nodes/state/database.js';
import { HOME, loadCore, type Running, startFlow } from './node-red.ts';
import { FAKE_TOKEN } from './potion.ts';

const require = createRequire(import.meta.url);

interface FlowNode {
  id: string;
  type: string;
  [property: string]: unknown;
}

function flowFile(name: string): FlowNode[] {
  return JSON.parse(readFileSync(join(HOME, 'flows', name), 'utf8'));
}

/**
 * Runs Potion's own Telegram tab, as it is in the flow files, against a Bot API server.
 * @param changes values of nodes by id, e.g. shorter limits
 */
export async function startTelegramTab(
  url: string,
  env: Record<string, string>,
  db: Database,
  changes: Record<string, object> = {},
): Promise<Running> {
  setConfig(readConfig({ SERVER_NAME: 'rumah', TELEGRAM_API_URL: url, ...env }, tmpdir()));
  const nodes = [...flowFile('config.json'), ...flowFile('telegram.tg.json')].map((node) => ({
    ...node,
    ...(node.type === 'telegram bot' ? { baseapiurl: url, pollinterval: '50' } : {}),
    ...changes[node.id],
  }));
  const names = ['gate', 'command', 'confirm', 'help', 'say', 'outbox', 'watchdog', 'broadcast', 'menu'];
  const used = new Set(nodes.map(({ type }) => type));
  return withoutOwnCore(() =>
    startFlow(
      names.filter((name) => used.has(`potion-${name}`)).map((name) => `tell/${name}`),
      nodes,
      db,
      {
        nodes: [
          require('node-red-contrib-telegrambot/telegrambot/99-telegrambot.js'),
          ...['common/60-link.js', 'function/89-delay.js', 'common/90-comment.js'].map(loadCore),
          ...['common/20-inject.js', 'function/10-switch.js', 'function/15-change.js'].map(loadCore),
        ],
        credentials: { 'tg-bot': { token: FAKE_TOKEN } },
      },
    ),
  );
}

/** The test helper loads the module of a core node once for each node of the flow, which fails with the second. */
async function withoutOwnCore<T>(work: () => Promise<T>): Promise<T> {
  const inside = helper as unknown as { _nodeModules: object };
  const own = inside._nodeModules;
  inside._nodeModules = {};
  try {
    return await work();
  } finally {
    inside._nodeModules = own;
  }
}

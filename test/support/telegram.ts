import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { readConfig, setConfig } from '../../nodes/kit/config.js';
import type { Draft } from '../../nodes/kit/messages.js';
import type { Database } from '../../nodes/state/database.js';
import { type Sandbox, startSandbox } from '../../ops/sandbox/server.js';
import { type Running, startFlow } from './node-red.ts';
import { FAKE_TOKEN } from './potion.ts';

const require = createRequire(import.meta.url);

/** A Bot API server of its own, with the token that `telegramFlow` uses. */
export function startTelegram(): Promise<Sandbox> {
  return startSandbox({ token: FAKE_TOKEN });
}

/** The bot of node-red-contrib-telegrambot, pointed at a sandbox. */
export function botNode(url: string, more: object = {}): object {
  return {
    id: 'bot',
    type: 'telegram bot',
    botname: 'potion',
    baseapiurl: url,
    updatemode: 'none',
    pollinterval: '50',
    ...more,
  };
}

/** outbox → telegram sender, whose two outputs lead back; as in Potion's own flows. */
export function deliveryNodes(outbox: object = {}): object[] {
  const limits = { answerWithin: 60, maxMessages: 1000, maxMegabytes: 5, digestCount: 10, digestMinutes: 5 };
  return [
    { id: 'outbox', type: 'potion-outbox', z: 'tab', wires: [['sender']], ...limits, ...outbox },
    {
      id: 'sender',
      type: 'telegram sender',
      z: 'tab',
      bot: 'bot',
      haserroroutput: true,
      outputs: 2,
      wires: [['outbox'], ['outbox']],
    },
  ];
}

/** The sandbox's own person, who is admin. */
export const PERSON = 100_001;

/** Starts a flow with the real nodes of node-red-contrib-telegrambot in it, in Indonesian. */
export async function telegramFlow(paths: string[], flow: object[], db?: Database): Promise<Running> {
  setConfig(readConfig({ ADMIN_IDS: String(PERSON), SERVER_NAME: 'rumah' }, tmpdir()));
  // A node without a place on a tab would count as a config node.
  const placed = flow.map((node) => ('z' in node ? { x: 0, y: 0, ...node } : node));
  const running = await startFlow(paths, [{ id: 'tab', type: 'tab' }, ...placed], db, {
    nodes: [require('node-red-contrib-telegrambot/telegrambot/99-telegrambot.js')],
    credentials: { bot: { token: FAKE_TOKEN } },
  });
  const stop = async () => {
    await running.stop();
    setConfig(undefined);
  };
  return { ...running, stop };
}

/** A message for the sandbox's own person. */
export function draftFor(sandbox: Sandbox, html: string, more: Partial<Draft> = {}): Draft {
  return { chat: sandbox.user.id, html, kind: 'notice', at: Date.now(), ...more };
}

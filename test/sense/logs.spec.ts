import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { readConfig, setConfig } from '../../nodes/kit/config.js';
import type { Message } from '../../nodes/kit/messages.js';
import type { LogLine } from '../../nodes/sense/logs/entry.js';
import { type Running, startFlow } from '../support/node-red.ts';

const SECRET = 'https://hc-ping.example/very-secret';

describe('the logs node', () => {
  let flow: Running;
  let home: string;
  let log: string;

  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'potion-logs-'));
    mkdirSync(join(home, 'data/logs'), { recursive: true });
    log = join(home, 'data/logs/runtime.log');
    setConfig(readConfig({ SERVICES_WHITELIST: 'nginx', HEARTBEAT_URL: SECRET, POTION_LANG: 'en-US' }, home));
    flow = await startFlow(
      ['sense/logs'],
      [
        { id: 'tab', type: 'tab' },
        {
          id: 'logs',
          z: 'tab',
          x: 1,
          y: 1,
          type: 'potion-logs',
          action: 'tail',
          source: '',
          wires: [['out']],
        },
        {
          id: 'fixed',
          z: 'tab',
          x: 1,
          y: 1,
          type: 'potion-logs',
          action: 'search',
          source: 'runtime',
          wires: [['out']],
        },
        { id: 'out', z: 'tab', x: 1, y: 1, type: 'helper' },
        { id: 'catch', z: 'tab', x: 1, y: 1, type: 'catch', wires: [['failed']] },
        { id: 'failed', z: 'tab', x: 1, y: 1, type: 'helper' },
      ],
    );
  });
  afterEach(async () => {
    await flow.stop();
    setConfig(undefined);
    rmSync(home, { recursive: true });
  });

  const put = (...words: string[]) =>
    appendFileSync(log, words.map((word) => `2026-11-20 10:00:00.000 info ${word}\n`).join(''));
  const give = async (msg: Message, node = 'logs'): Promise<Message> => {
    const out = flow.next('out');
    const failed = flow.next('failed').then((caught) => Promise.reject(new Error(caught.error?.cause?.code)));
    failed.catch(() => {});
    out.catch(() => {});
    flow.give(node, msg);
    return Promise.race([out, failed]);
  };
  const words = ({ payload }: Message) => (payload as { lines: LogLine[] }).lines.map(({ words }) => words);

  it('gives the lines as data, oldest first, and keeps the rest of the message', async () => {
    put('one', 'two', 'three');
    const told = await give({ topic: 'kept', payload: { source: 'runtime', lines: 2 } });
    assert.equal(told.topic, 'kept');
    const at = new Date(2026, 10, 20, 10).getTime();
    const { source, lines } = told.payload as { source: string; lines: LogLine[] };
    assert.equal(source, 'runtime');
    assert.deepEqual(
      lines.map(({ place, ...line }) => line),
      ['two', 'three'].map((words) => ({ at, words, text: `2026-11-20 10:00:00.000 info ${words}` })),
    );
    assert.deepEqual(
      words(await give({ payload: 'runtime' })),
      ['one', 'two', 'three'],
      'a name alone will do',
    );
  });

  it('takes the action from the message, and its source from its own setting', async () => {
    put('apple', 'pear');
    assert.deepEqual(words(await give({ action: 'search', payload: { source: 'runtime', what: 'pear' } })), [
      'pear',
    ]);
    assert.deepEqual(words(await give({ payload: { source: 'actions', what: 'apple' } }, 'fixed')), [
      'apple',
    ]);
    const menu = await give({ action: 'menu', payload: {} });
    assert.deepEqual(menu.payload, {
      sources: ['runtime', 'actions', 'kernel', 'nginx.service', 'potion.service'],
    });
  });

  it('takes out what is secret, wherever it shows', async () => {
    put(`pinging ${SECRET}`, `bot 1234567:AAFakeFakeFakeFakeFakeFakeFakeFakeFake`);
    for (const action of ['tail', 'page', 'file', 'search']) {
      const told = await give({ action, payload: { source: 'runtime', what: 'i', when: '10000d' } });
      const file = Buffer.from(told.say?.file?.base64 ?? '', 'base64').toString();
      const all = JSON.stringify(told) + file;
      assert.match(all, /<secret>/, action);
      assert.doesNotMatch(all, /very-secret|AAFake/, action);
    }
  });

  it('puts a large file below DATA_DIR, and clears old ones away', async () => {
    const outgoing = join(home, 'data/outgoing');
    mkdirSync(outgoing);
    writeFileSync(join(outgoing, 'old'), 'x');
    utimesSync(join(outgoing, 'old'), 1, 1);
    put(...Array.from({ length: 60_000 }, () => crypto.randomUUID().repeat(2)));
    const told = await give({
      action: 'file',
      payload: { source: 'runtime', when: '2026-11-20..2026-11-21' },
    });
    const { name, path = '' } = told.say?.file ?? {};
    assert.match(name ?? '', /^runtime-\d{12}\.log\.gz$/);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(outgoing).length, 1, 'the old one is gone');
    assert.equal(gunzipSync(readFileSync(path)).toString(), readFileSync(log, 'utf8'));
  });

  it('ends in an error for what it can’t do', async () => {
    put('line');
    const wrong: [string, Message][] = [
      ['INVALID', { payload: {} }],
      ['INVALID', { action: 'eat', payload: 'runtime' }],
      ['INVALID', { payload: { source: 'runtime', lines: 0 } }],
      ['INVALID', { payload: { source: 'runtime', lines: 'x' } }],
      ['INVALID', { payload: { source: 'runtime', when: 'x' } }],
      ['INVALID', { action: 'follow', payload: { source: 'runtime', seconds: 301 } }],
      ['INVALID', { action: 'search', payload: { source: 'runtime', what: '' } }],
      ['DENIED', { payload: 'dbus' }],
      ['INVALID', { payload: '../etc/passwd' }],
      ['NOT_FOUND', { action: 'page', payload: { source: 'runtime', before: '1:2' } }],
    ];
    for (const [code, msg] of wrong) await assert.rejects(give(msg), { message: code }, JSON.stringify(msg));
  });

  it('stops watching when it is closed', async () => {
    put('line');
    flow.give('logs', { action: 'follow', payload: { source: 'runtime', seconds: 300 } });
    const first = await flow.next('out');
    assert.equal(first.say?.interim, true);
    const started = performance.now();
    await flow.stop();
    assert.ok(performance.now() - started < 1000);
    // For the flow that afterEach stops.
    flow = await startFlow([], []);
  });
});

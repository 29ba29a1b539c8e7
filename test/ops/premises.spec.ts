import assert from 'node:assert/strict';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HOME } from '../support/node-red.ts';
import { type Potion, type PotionOptions, startPotion } from '../support/potion.ts';

let top: string;
let potion: Potion | undefined;

const start = async (options: PotionOptions) => {
  potion = await startPotion(options);
  return potion;
};

beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'potion-premises-'));
});
afterEach(async () => {
  // Nothing here is about an orderly end, which waits for the bot's open poll.
  await potion?.kill();
  await potion?.stop();
  potion = undefined;
  rmSync(top, { recursive: true, force: true });
});

describe('a place where Potion cannot work', function () {
  this.timeout(30_000);

  it('is named when it is the data folder, with what to do', async () => {
    writeFileSync(join(top, 'file'), '');
    const { ended, console } = await start({ env: { DATA_DIR: join(top, 'file', 'data') } });
    assert.equal((await ended).code, 78);
    assert.match(console(), /DATA_DIR: .*file\/data can't be used \(ENOTDIR.*name another folder/);
  });

  it('is named when the flows’ folder is not there, in place of an empty canvas', async () => {
    const { ended, console } = await start({ env: { FLOWS_DIR: join(top, 'typo') } });
    assert.equal((await ended).code, 78);
    assert.match(console(), /FLOWS_DIR: there is no folder .*typo/);
  });

  it('is named when another program has the port, before anything is touched', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    try {
      await new Promise((resolve) => other.once('listening', resolve));
      const { ended, console } = await start({
        port: (other.address() as AddressInfo).port,
        env: { BOT_TOKEN: '' },
      });
      assert.equal((await ended).code, 1);
      assert.match(console(), /POTION_PORT: \d+ is taken on 127\.0\.0\.1, perhaps by another Potion/);
      assert.doesNotMatch(console(), /Welcome/);
    } finally {
      other.close();
    }
  });

  it('is named when the database is damaged: a copy is kept, once, and nothing is started fresh', async () => {
    const dataDir = join(top, 'data');
    mkdirSync(dataDir);
    const content = 'no database at all'.repeat(1000);
    writeFileSync(join(dataDir, 'potion.db'), content);
    cpSync(join(HOME, 'flows'), join(top, 'flows'), { recursive: true });
    for (let again = 0; again < 2; again++) {
      const { ended, log } = await start({ dataDir, flowsDir: join(top, 'flows'), env: { BOT_TOKEN: '' } });
      assert.equal((await ended).code, 78);
      assert.match(log(), /fatal .*potion\.db is damaged \(file is not a database\); a copy is kept in/);
    }
    const copies = readdirSync(dataDir).filter((name) => /^potion\.db\.damaged-[\dT.-]+Z$/.test(name));
    assert.equal(copies.length, 1, String(copies));
    for (const name of ['potion.db', ...copies])
      assert.equal(readFileSync(join(dataDir, name), 'utf8'), content, name);
  });

  it('stays up and says so while the database can’t be opened for a reason that passes, and then goes on', async () => {
    const dataDir = join(top, 'data');
    // A folder in its place: Potion may be root here, whom no permission stops.
    mkdirSync(join(dataDir, 'potion.db', 'in-the-way'), { recursive: true });
    cpSync(join(HOME, 'flows'), join(top, 'flows'), { recursive: true });
    const running = await start({ dataDir, flowsDir: join(top, 'flows'), env: { BOT_TOKEN: '' } });
    await running.waitFor(/potion\.db can't be opened: .* → .*disk is not full/, 20_000);
    const { status, body } = await running.admin('/potion/health');
    assert.equal(status, 503);
    assert.match(JSON.stringify(body), /"database":\{"ok":false,"reason":"writing failed/);
    rmSync(join(dataDir, 'potion.db'), { recursive: true });
    await running.waitHealthy(20_000);
  });
});

describe('a running Potion', function () {
  this.timeout(30_000);

  it('keeps its database from other users of the machine', async () => {
    const dataDir = join(top, 'data');
    const running = await start({ dataDir: join(dataDir) });
    await running.waitReady();
    await running.admin('/potion/health');
    for (const file of ['potion.db', 'potion.db-wal', 'potion.db-shm'])
      assert.equal(statSync(join(dataDir, file)).mode & 0o077, 0, file);
  });

  it('opens no web socket for a page from elsewhere', async () => {
    const { waitReady, port } = await start({});
    await waitReady();
    const opens = (host: string, origin?: string) => upgrade(port, { host, ...(origin ? { origin } : {}) });
    assert.equal(await opens(`127.0.0.1:${port}`, `http://127.0.0.1:${port}`), true);
    assert.equal(await opens(`127.0.0.1:${port}`), true);
    assert.equal(await opens(`127.0.0.1:${port}`, 'https://evil.example'), false);
    assert.equal(await opens(`evil.example:${port}`, `http://evil.example:${port}`), false);
  });
});

/** Whether a web socket of the editor opens with these headers. */
function upgrade(port: number, headers: Record<string, string>): Promise<boolean> {
  const asked = request({
    port,
    host: '127.0.0.1',
    path: '/comms',
    headers: {
      ...headers,
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': Buffer.alloc(16).toString('base64'),
    },
  }).end();
  return new Promise((resolve) => {
    asked.once('response', (answer) => {
      answer.resume();
      resolve(false);
    });
    asked.once('upgrade', (_response, socket) => {
      socket.destroy();
      resolve(true);
    });
    asked.once('error', () => resolve(false));
  });
}

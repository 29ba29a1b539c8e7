import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '../../nodes/state/database.js';
import { HOME } from '../support/node-red.ts';
import { freePort, startPotion } from '../support/potion.ts';

describe('npm run state', function () {
  this.timeout(30_000);
  let dataDir: string;
  let port: number;
  beforeEach(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'potion-state-'));
    port = await freePort();
  });
  afterEach(() => rmSync(dataDir, { recursive: true }));

  const state = (...args: string[]) =>
    spawnSync(process.execPath, [join(HOME, 'ops/runtime/state-cli.js'), ...args], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, DATA_DIR: dataDir, POTION_PORT: String(port), EDITOR_BIND: 'loopback' },
    });
  const file = () => join(dataDir, 'potion.db');

  it('check says that a database is whole, or what is wrong with it', async () => {
    await (await openDatabase(file())).destroy();
    const whole = state('check');
    assert.deepEqual([whole.status, whole.stdout], [0, `${file()} is whole\n`]);
    writeFileSync(file(), 'no database at all'.repeat(1000));
    const broken = state('check');
    assert.equal(broken.status, 1);
    assert.match(broken.stderr, /is damaged \(file is not a database\)/);
  });

  it('fresh puts a database aside, and the next start makes a new one', async () => {
    writeFileSync(file(), 'no database at all'.repeat(1000));
    const { status, stdout } = state('fresh');
    assert.equal(status, 0);
    assert.match(stdout, /Put aside as .*potion\.db\.aside-.*; the next start makes an empty database/);
    assert.equal(existsSync(file()), false);
    assert.equal(readdirSync(dataDir).filter((name) => name.includes('.aside-')).length, 1);
  });

  it('touches nothing while Potion runs', async () => {
    const flowsDir = join(dataDir, 'flows');
    mkdirSync(flowsDir);
    const potion = await startPotion({ dataDir, flowsDir, port });
    try {
      await potion.waitReady();
      await potion.admin('/potion/health');
      const { status, stderr } = state('fresh');
      assert.equal(status, 2);
      assert.match(stderr, /Potion seems to be running: stop it first/);
      assert.ok(existsSync(file()));
    } finally {
      await potion.kill();
      await potion.stop();
    }
  });

  it('says when there is nothing, or nothing of that name to do', () => {
    assert.match(state('check').stderr, /there is no database .*the next start makes one/);
    assert.match(state('burn').stderr, /there is no "burn"[\s\S]*salvage/);
    assert.equal(state().status, 2);
  });
});

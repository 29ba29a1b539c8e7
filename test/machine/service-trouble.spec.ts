import assert from 'node:assert/strict';
import { needs } from '../support/needs.ts';
import { until } from './driver.ts';
import { type Installed, layOut } from './installed.ts';
import { bootMachine, GUEST_NODE, type Machine } from './machine.ts';

const DATA = '/var/lib/potion';
const LOG = '/var/log/potion';
const OWNER_TOLD = '[Service]\nType=oneshot\nExecStart=/bin/sh -c "echo told >>/run/owner"\n';

/** File systems of 64 MB in the place of Potion's folders, with what is in them. */
const SMALL_DISKS = `
for place in ${DATA} ${LOG}; do
  cp -a $place /var/tmp/was
  mount -t tmpfs -o size=64m,mode=750,uid=$(id -u potion),gid=$(id -g potion) small $place
  cp -a /var/tmp/was/. $place
  rm -r /var/tmp/was
done`;

describe('potion.service in trouble, on a booted machine', function () {
  this.timeout(120_000);
  let machine: Machine;
  let potion: Installed;

  before(async function () {
    needs(this, 'root', 'systemd-nspawn');
    const web = '[Service]\nExecStart=/bin/sleep infinity\n';
    machine = await bootMachine({ units: { 'web.service': web }, start: ['web.service'] });
    potion = await layOut(machine, {
      env: { SERVICES_WHITELIST: 'web' },
      files: { 'potion-health.service': OWNER_TOLD },
    });
    await machine.run(['sh', '-ec', SMALL_DISKS]);
  });
  beforeEach(() => potion.kill());
  after(async () => {
    potion?.close();
    await machine?.stop();
  });

  const fill = (place: string) => machine.exec(['dd', 'if=/dev/zero', `of=${place}/filler`, 'bs=4k']);
  const empty = (place: string) => machine.run(['rm', '-f', `${place}/filler`]);
  const ask = (text: string) => potion.telegram.ask('say', text);
  /** A message of the bot that is newer than this one. */
  const heardAfter = async (id: number, text: RegExp, ms = 60_000) =>
    until(
      async () => (await potion.messages()).find((message) => message.id > id && text.test(message.text)),
      ms,
      () => `waiting for ${text}`,
    ).catch(async (thrown) => {
      throw new Error(
        `${thrown.message}\n${JSON.stringify(await potion.messages())}\n${await potion.journal()}`,
      );
    });
  const last = async () => (await potion.messages()).at(-1)?.id ?? 0;
  /** What SQLite finds wrong with the database. */
  const integrity = () =>
    machine.run(
      [
        GUEST_NODE,
        '-e',
        `const db = new (require('node:sqlite').DatabaseSync)('${DATA}/potion.db');
         console.log(Object.values(db.prepare('PRAGMA integrity_check').get())[0]); db.close();`,
      ],
      { user: 'potion' },
    );
  const untilDatabaseFails = () =>
    until(
      async () => (/"database":{"ok":false/.test((await potion.health()).text) ? true : undefined),
      60_000,
    );

  it('tells of a full data disk, keeps alerting, and goes on by itself when there is space', async () => {
    const { pid } = await potion.start();
    const before = await last();
    await fill(DATA);
    await machine.run(['sh', '-c', 'kill -KILL $(systemctl show -P MainPID web)']);
    await heardAfter(before, /database or disk is full[\s\S]*df -h/);
    await untilDatabaseFails();
    await empty(DATA);
    await potion.untilHealthy();
    // What happened meanwhile is told too: the alert was not lost.
    await heardAfter(before, /web mati|web.*sudah aku hidupkan lagi/);
    const asked = await last();
    await ask('/services');
    await heardAfter(asked, /Service/);
    const now = await potion.facts();
    assert.deepEqual([now.pid, now.restarts], [pid, 0], 'all without a restart');
    assert.equal(await integrity(), 'ok');
    await machine.run(['systemctl', 'reset-failed', 'web']);
    await machine.run(['systemctl', 'start', 'web']);
  });

  it('starts on a full data disk too, says so, and goes on by itself when there is space', async () => {
    await potion.start();
    // An orderly end: the log of one that was killed would give its space back at the next start.
    await ask('hai');
    await machine.run(['systemctl', 'stop', 'potion'], { timeout: 60_000 });
    await fill(DATA);
    const before = await last();
    await machine.run(['systemctl', 'start', 'potion']);
    const { pid } = await potion.untilUnit(({ state }) => state === 'active');
    await heardAfter(before, /tidak bisa dibuka: [\s\S]*df -h/);
    await untilDatabaseFails();
    await empty(DATA);
    await potion.untilHealthy();
    // The nodes look for their database every few seconds; a command in between is answered with what is wrong.
    const asked = await last();
    await until(async () => {
      await ask('/services');
      return heardAfter(asked, /Service/, 3000).catch(() => undefined);
    }, 60_000);
    const now = await potion.facts();
    assert.deepEqual([now.pid, now.restarts], [pid, 0]);
    assert.equal(await integrity(), 'ok');
  });

  it('works on when the disk of its logs is full, and logs again when there is space', async () => {
    const { pid } = await potion.start();
    await fill(LOG);
    const before = await last();
    await ask('/services');
    await heardAfter(before, /Service/);
    assert.equal((await potion.health()).status, 200);
    await empty(LOG);
    const size = Number(await machine.run(['stat', '-c', '%s', `${LOG}/actions.log`]));
    await ask('/services');
    await until(async () =>
      Number(await machine.run(['stat', '-c', '%s', `${LOG}/actions.log`])) > size ? true : undefined,
    );
    assert.equal((await potion.facts()).pid, pid);
  });

  it('refuses a damaged database with a copy kept, tells the owner, and starts with what could be saved', async () => {
    await potion.start();
    await potion.kill();
    await machine.exec(['rm', '-f', '/run/owner']);
    const spoil = `dd if=/dev/urandom of=${DATA}/potion.db bs=1k seek=20 count=30 conv=notrunc`;
    await machine.run(['sh', '-c', spoil]);
    for (let start = 0; start < 2; start++) {
      await machine.exec(['systemctl', 'start', 'potion']);
      await potion.untilUnit(({ state }) => state === 'failed');
    }
    assert.equal((await potion.facts()).restarts, 0);
    assert.match(
      await machine.run(['cat', `${LOG}/runtime.log`]),
      /fatal .*potion\.db is damaged \(.*a copy is kept/,
    );
    await until(async () => (await machine.exec(['cat', '/run/owner'])).stdout || undefined);
    const copies = await machine.run(['sh', '-c', `ls ${DATA} | grep -c 'damaged-.*Z$'`]);
    assert.equal(copies, '1');
    const said = await machine.run(['/opt/potion/current/ops/runtime/state', 'salvage'], { timeout: 60_000 });
    assert.match(said, /The new database is in place; the damaged one is .*potion\.db\.aside-/);
    assert.equal(await machine.run(['stat', '-c', '%U %a', `${DATA}/potion.db`]), 'potion 600');
    await machine.run(['systemctl', 'reset-failed', 'potion']);
    await potion.start();
    assert.equal(await integrity(), 'ok');
  });

  it('refuses to touch its database from outside while it runs', async () => {
    await potion.start();
    const { code, stderr } = await machine.exec(['/opt/potion/current/ops/runtime/state', 'fresh']);
    assert.equal(code, 2);
    assert.match(stderr, /Potion seems to be running: stop it first/);
    assert.equal((await potion.health()).status, 200);
  });

  it('refuses damaged flow files, and starts once they are mended', async () => {
    await potion.start();
    await potion.kill();
    const file = await machine.run(['sh', '-c', `ls ${DATA}/flows/*.json | head -1`]);
    await machine.run(['sh', '-c', `cp -a ${file} /var/tmp/good && truncate -s 100 ${file}`]);
    await machine.exec(['systemctl', 'start', 'potion']);
    await potion.untilUnit(({ state }) => state === 'failed');
    assert.equal((await potion.facts()).restarts, 0);
    assert.match(await potion.journal(), /status=78/);
    await machine.run(['sh', '-c', `cp -a /var/tmp/good ${file}`]);
    await machine.run(['systemctl', 'reset-failed', 'potion']);
    await potion.start();
  });

  it('stays for the person to mend flows that miss a node type, and does not restart over them', async () => {
    await machine.writeFile(
      `${DATA}/flows/missing.x.json`,
      JSON.stringify([
        { id: 'x', type: 'tab', label: 'missing' },
        { id: 'y', type: 'no-such-node', z: 'x', wires: [] },
      ]),
    );
    await machine.run(['chown', 'potion:', `${DATA}/flows/missing.x.json`]);
    await potion.dropIn('[Service]\nWatchdogSec=3');
    await machine.run(['systemctl', 'start', 'potion']);
    const { state, status, pid } = await potion.facts();
    assert.equal(state, 'active');
    assert.match(status, /The flows do not run: missing types: no-such-node\. Mend it in the editor\./);
    assert.equal((await potion.health()).status, 503);
    const stamp = () => machine.run(['systemctl', 'show', '-P', 'WatchdogTimestampMonotonic', 'potion']);
    const before = await stamp();
    await until(async () => ((await stamp()) === before ? undefined : true), 30_000);
    assert.equal((await potion.facts()).pid, pid);
  });
});

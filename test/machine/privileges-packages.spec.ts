import assert from 'node:assert/strict';
import type { AptPlan, AptSummary } from '../../nodes/host/apt-output.js';
import type { HelperProgress } from '../../nodes/host/helper-protocol.js';
import { needs } from '../support/needs.ts';
import { Driver, InsideError, until } from './driver.ts';
import type { Machine } from './machine.ts';
import { ownRepository, publish } from './packages.ts';
import { bootPrivileged } from './privileged.ts';

// Tells that it has begun, and goes on when it is let.
const SLOW = `touch /run/in-postinst
for i in $(seq 600); do test ! -e /run/go || break; sleep 0.05; done`;

describe("Potion's helper for packages, on a booted machine", function () {
  this.timeout(60_000);
  let machine: Machine;
  let potion: Driver<{ line?: string; progress?: HelperProgress }>;

  before(async function () {
    needs(this, 'root', 'systemd-nspawn');
    const settings = 'BOT_TOKEN="123456:AAFake-token"\nLD_PRELOAD="/tmp/evil.so"\nPATH="/tmp"\n';
    machine = await bootPrivileged([], { files: { '/etc/potion/potion.env': settings } });
    await ownRepository(machine);
    potion = new Driver(machine, 'rights', { user: 'potion' });
    const first = await publish(machine, 'demo', '1', { configuration: 'colour=red\n' });
    await machine.run(['dpkg', '--install', first]);
  });

  after(async () => {
    potion?.stop();
    await machine?.stop();
  });

  beforeEach(async () => {
    await go();
    // Whatever a test before has left to run.
    const running = ['pgrep', '-f', '^/usr/bin/(flock|apt-get)|ops/helper/main.js packages'];
    await until(async () => ((await machine.exec(running)).code === 1 ? true : undefined), 20_000);
    await machine.run(['rm', '-f', '/run/in-postinst', '/run/go']);
  });

  const ask = <T>(verb: string, options: object = {}) => potion.ask<T>('helper', verb, {}, options);
  const failure = async (verb: string, options: object = {}) => {
    const thrown = await ask(verb, options).catch((error: InsideError) => error);
    assert.ok(thrown instanceof InsideError, `${verb} was carried out`);
    return thrown;
  };
  const there = async (path: string) => (await machine.exec(['test', '-e', path])).code === 0;
  const installed = () =>
    machine.run(['sh', '-c', "dpkg-query --list demo | tail -1 | awk '{ print $3, $1 }'"]);
  const inPostinst = () => until(async () => ((await there('/run/in-postinst')) ? true : undefined), 20_000);
  const go = () => machine.run(['touch', '/run/go']);
  const becomes = (wanted: string) =>
    until(
      async () => ((await installed()).trim() === wanted ? true : undefined),
      20_000,
      () => `waiting for ${wanted}`,
    );
  const helper = () => machine.run(['pgrep', '-f', 'ops/helper/main.js packages']);
  /** Publishes a version and makes it known. */
  const offer = async (version: string, parts = {}) => {
    await publish(machine, 'demo', version, parts);
    await ask('apt.refresh');
  };

  it('tells what there is to upgrade', async () => {
    assert.deepEqual(await ask('apt.list'), { changes: [], kept: [] });
    await offer('2', { configuration: 'colour=blue\n', postinst: `env -0 > /var/tmp/environment; ${SLOW}` });
    const plan = await ask<AptPlan>('apt.list');
    assert.partialDeepStrictEqual(plan.changes, [{ name: 'demo', from: '1', to: '2', security: false }]);
  });

  it('upgrades, tells its progress, and keeps the configuration that a person has changed', async () => {
    await machine.writeFile('/etc/demo.conf', 'colour=my own\n');
    const upgrade = ask<AptSummary>('apt.upgrade');
    await inPostinst();
    await potion.event(({ progress }) => {
      const { phase = '', ratio = 0 } = progress ?? {};
      return phase === 'install' && ratio > 0 && ratio < 1;
    });
    for (const verb of ['apt.upgrade', 'apt.refresh']) {
      const { code, hint } = await failure(verb);
      assert.equal(code, 'BUSY');
      assert.match(hint, /try again/);
    }
    await go();
    assert.partialDeepStrictEqual(await upgrade, { upgraded: 1, installed: 0 });
    assert.equal((await installed()).trim(), '2 ii');
    assert.equal(await machine.run(['cat', '/etc/demo.conf']), 'colour=my own');
    assert.ok(potion.events.some(({ line }) => line?.includes('Setting up demo (2)')));
    assert.deepEqual(await ask('apt.list'), { changes: [], kept: [] });
  });

  it('gives the scripts of a package an environment of its own', async () => {
    const environment = (await machine.run(['cat', '/var/tmp/environment'])).split('\0').filter(Boolean);
    const value = (name: string) =>
      environment.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1);
    assert.equal(value('DEBIAN_FRONTEND'), 'noninteractive');
    assert.equal(value('NEEDRESTART_MODE'), 'l');
    assert.equal(value('LC_ALL'), 'C');
    assert.match(value('PATH') ?? '', /^\/usr\/(local\/)?sbin:[\w:/]+$/);
    assert.doesNotMatch(environment.join('\n'), /AAFake|LD_PRELOAD|HELPER_VERBS|NODE_|RUNTIME_DIRECTORY/);
  });

  it('goes on when the one who asked has gone, and is busy until then', async () => {
    await offer('3', { postinst: SLOW });
    const left = failure('apt.upgrade', { timeout: 60_000 });
    await inPostinst();
    potion.stop();
    await left.catch(() => {});
    potion = new Driver(machine, 'rights', { user: 'potion' });
    assert.equal((await failure('apt.upgrade')).code, 'BUSY');
    await go();
    await becomes('3 ii');
  });

  it('goes on when the helper itself is killed', async () => {
    await offer('4', { postinst: SLOW });
    const lost = failure('apt.upgrade');
    await inPostinst();
    await machine.run(['kill', '-KILL', await helper()]);
    const { code, hint } = await lost;
    assert.equal(code, 'FAILED');
    assert.match(hint, /goes on by itself/);
    assert.equal((await failure('apt.upgrade')).code, 'BUSY');
    await go();
    await becomes('4 ii');
  });

  it('is waited for when it is stopped, as at a shutdown', async () => {
    await offer('5', { postinst: SLOW });
    const upgrade = ask<AptSummary>('apt.upgrade');
    await inPostinst();
    const stopped = machine.run(['systemctl', 'stop', 'potion-packages@*.service']);
    await until(async () => {
      const said = await machine.run([
        'systemctl',
        'list-units',
        '--plain',
        '--no-legend',
        'potion-packages@*',
      ]);
      return said.includes('deactivating') ? true : undefined;
    });
    await go();
    assert.equal((await upgrade).upgraded, 1);
    await stopped;
    assert.equal((await installed()).trim(), '5 ii');
  });

  it('says who else is installing packages', async () => {
    await offer('6', { postinst: SLOW });
    const other = machine.run(['apt-get', '--quiet', '--assume-yes', 'install', 'demo'], {
      env: { DEBIAN_FRONTEND: 'noninteractive' },
    });
    await inPostinst();
    const { code, message } = await failure('apt.upgrade');
    assert.equal(code, 'BUSY');
    assert.match(message, /another program.*\(apt-get\)/);
    await go();
    await other;
  });

  it('says what to do about an installation that was cut off', async () => {
    await offer('7', { postinst: SLOW });
    const cutOff = failure('apt.upgrade');
    await inPostinst();
    await machine.run(['pkill', '-KILL', '-x', 'dpkg']);
    assert.equal((await cutOff).code, 'FAILED');
    const { code, hint } = await failure('apt.upgrade');
    assert.equal(code, 'FAILED');
    assert.match(hint, /dpkg --configure -a/);
    await go();
    await machine.run(['dpkg', '--configure', '-a']);
    assert.deepEqual(await ask('apt.upgrade'), { upgraded: 0, installed: 0, kept: 0 });
    assert.equal((await installed()).trim(), '7 ii');
  });

  it('says when the packages can not be fetched', async () => {
    await machine.writeFile('/etc/apt/sources.list', 'deb [trusted=yes] http://127.0.0.1:9/ ./\n');
    const { code, message } = await failure('apt.refresh');
    assert.equal(code, 'UNAVAILABLE');
    assert.match(message, /could not be fetched/);
  });

  it('has left nothing behind', async () => {
    await until(async () =>
      (await machine.run(['ls', '/run/potion-packages'])) === 'apt' ? true : undefined,
    );
    const units = await machine.run([
      'systemctl',
      'list-units',
      '--all',
      '--no-legend',
      '--plain',
      'potion-packages@*',
    ]);
    assert.equal(units, '');
  });
});

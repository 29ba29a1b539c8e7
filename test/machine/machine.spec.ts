import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { needs } from '../support/needs.ts';
import { until } from './driver.ts';
import { bootMachine, GUEST_HOME, GUEST_NODE, type Machine } from './machine.ts';

describe('the machine that the tests boot', function () {
  this.timeout(60_000);
  let machine: Machine;

  before(async function () {
    needs(this, 'root', 'systemd-nspawn');
    machine = await bootMachine({
      units: { 'sleeper.service': '[Service]\nExecStart=/bin/sleep infinity\n' },
      start: ['sleeper.service'],
      files: { '/etc/potion-test': 'laid in before the boot' },
    });
  });

  after(() => machine?.stop());

  it('runs systemd as its first process, with what was laid in', async () => {
    assert.match(await machine.run(['cat', '/proc/1/comm']), /^systemd$/);
    assert.equal(await machine.run(['systemctl', 'is-active', 'sleeper']), 'active');
    assert.equal(await machine.run(['cat', '/etc/potion-test']), 'laid in before the boot');
  });

  it('shows the checkout and Node to every user, read-only', async () => {
    const script = `console.log(process.version, require('${GUEST_HOME}/package.json').name)`;
    const said = await machine.run([GUEST_NODE, '-e', script], { user: 'nobody' });
    assert.equal(said, `${process.version} potion`);
    const { code } = await machine.exec(['touch', join(GUEST_HOME, 'package.json')]);
    assert.notEqual(code, 0);
  });

  it('reaches nothing but itself', async () => {
    const names = (await machine.run(['ls', '/sys/class/net'])).split('\n');
    assert.deepEqual(names, ['lo']);
    assert.equal(await machine.run(['sh', '-c', 'ip route | wc -l']), '0');
  });

  it('changes nothing of this machine', async () => {
    await machine.writeFile('/etc/potion-test-2', 'x');
    assert.ok(!existsSync('/etc/potion-test-2'));
  });

  it('gives a program its input, user and environment, and a limit', async () => {
    const { stdout } = await machine.exec(['sh', '-c', 'id -un; echo "$X"; cat'], {
      user: 'nobody',
      env: { X: 'y z' },
      input: 'in',
    });
    assert.equal(stdout, 'nobody\ny z\nin');
    await assert.rejects(machine.exec(['sleep', '60'], { timeout: 100 }), /did not finish/);
    await until(async () =>
      (await machine.exec(['pgrep', '-x', '-f', 'sleep 60'])).code === 1 ? true : undefined,
    );
  });

  it('loses its processes in a power cut, keeps its files, and boots again', async () => {
    await machine.writeFile('/var/kept', 'still here');
    await machine.writeFile('/run/lost', 'in memory');
    const boot = () => machine.run(['cat', '/proc/1/stat']).then((text) => text.split(' ')[21]);
    const before = await boot();
    await machine.powerCut();
    assert.equal(machine.pid, 0);
    await machine.boot();
    assert.notEqual(await boot(), before);
    assert.equal(await machine.run(['cat', '/var/kept']), 'still here');
    assert.equal((await machine.exec(['cat', '/run/lost'])).code, 1);
  });

  it('leaves nothing behind, not even when the test was killed', async () => {
    const script = `
      const { bootMachine } = await import('./machine.ts');
      const machine = await bootMachine();
      console.log(machine.rootDir, machine.pid);
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      cwd: import.meta.dirname,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const line = await new Promise<string>((resolve) =>
      child.stdout.once('data', (data) => resolve(String(data))),
    );
    const [rootDir = '', pid = ''] = line.trim().split(' ');
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    assert.ok(existsSync(`/proc/${pid}`), 'nothing was left to clear, so this proves nothing');
    const next = await bootMachine();
    await next.stop();
    await until(() => (existsSync(`/proc/${pid}`) ? undefined : true));
    assert.ok(!existsSync(rootDir));
    const mounts = readFileSync('/proc/self/mounts', 'utf8');
    assert.ok(!mounts.includes(rootDir) && !mounts.includes(next.rootDir));
    assert.ok(!readdirSync('/var/tmp').some((name) => next.rootDir.includes(name)));
  });
});

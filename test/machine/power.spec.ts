import assert from 'node:assert/strict';
import { needs } from '../support/needs.ts';
import { Driver, InsideError, until } from './driver.ts';
import type { Machine } from './machine.ts';
import { bootPrivileged } from './privileged.ts';

describe('power, on a booted machine', function () {
  this.timeout(60_000);
  let machine: Machine;
  let potion: Driver;

  before(async function () {
    needs(this, 'root', 'systemd-nspawn');
    machine = await bootPrivileged([], { start: ['systemd-logind.service'] });
    potion = new Driver(machine, 'rights', { user: 'potion' });
  });

  after(async () => {
    potion?.stop();
    await machine?.stop();
  });

  const failure = async (method: string, driver = potion) => {
    const thrown = await driver.ask(method).catch((error: InsideError) => error);
    assert.ok(thrown instanceof InsideError, `${method} was let through`);
    return thrown;
  };

  it("is for Potion's user, and for no other", async () => {
    const other = new Driver(machine, 'rights', { user: 'other' });
    try {
      assert.equal(await potion.ask('canReboot'), 'yes');
      assert.notEqual(await other.ask('canReboot'), 'yes');
      for (const method of ['reboot', 'powerOff']) {
        const { code, hint } = await failure(method, other);
        assert.equal(code, 'DENIED');
        assert.match(hint, /Privileges.*install\.sh --privileges/);
      }
    } finally {
      other.stop();
    }
  });

  it('waits for a program that must not be interrupted, and says which', async () => {
    const apt = machine.spawn([
      ...['systemd-inhibit', '--what=shutdown', '--who=APT', '--why=installing packages', '--mode=block'],
      ...['sleep', 'infinity'],
    ]);
    await until(async () =>
      (await machine.run(['systemd-inhibit', '--list'])).includes('APT') ? true : undefined,
    );
    for (const method of ['reboot', 'powerOff']) {
      const { code, message } = await failure(method);
      assert.equal(code, 'BUSY');
      assert.match(message, /APT.*installing packages/);
    }
    apt.kill('SIGKILL');
    await until(async () =>
      (await machine.run(['systemd-inhibit', '--list'])).includes('APT') ? undefined : true,
    );
  });

  it('reboots', async () => {
    const started = () => machine.run(['systemctl', 'show', '-P', 'UserspaceTimestampMonotonic']);
    const before = await started();
    await machine.rebooted(() => potion.ask('reboot').catch(ended));
    assert.notEqual(await started(), before);
  });
});

/** A driver ends with its machine, at times before it has told that it asked for that. */
function ended(thrown: Error): void {
  if (thrown instanceof InsideError) throw thrown;
}

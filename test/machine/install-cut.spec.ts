import assert from 'node:assert/strict';
import { needs } from '../support/needs.ts';
import { FAKE_TOKEN } from '../support/potion.ts';
import { until } from './driver.ts';
import { bootWithClone, CLONE, commit, current, edit, type Installed, install } from './installing.ts';
import type { Machine } from './machine.ts';

// Where Telegram is away nobody waits for it.
const AWAY = { BOT_TOKEN: FAKE_TOKEN, TELEGRAM_API_URL: 'http://127.0.0.1:9' };

describe('an installation that is cut short', function () {
  this.timeout(300_000);
  let machine: Machine;
  let old: string;
  let next: string;

  before(async function () {
    needs(this, 'root', 'systemd-nspawn');
    machine = await bootWithClone();
  });

  after(async () => {
    await machine?.stop();
  });

  const shell = (script: string) => machine.run(['sh', '-c', script]);

  /** Ends the installer with SIGKILL, or with all of the machine, as soon as it says this. */
  async function cutAt(said: RegExp, how: 'kill' | 'power' = 'kill'): Promise<void> {
    const child = machine.spawn([`${CLONE}/ops/install/install.sh`, '--lang', 'en'], { env: AWAY });
    let all = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        all += chunk;
      });
    const ended = new Promise((resolve) => child.once('close', resolve));
    await until(
      () => {
        if (child.exitCode !== null) throw new Error(`it ended before ${said}: ${all}`);
        return said.test(all) || undefined;
      },
      120_000,
      () => all,
    );
    if (how === 'power') await machine.powerCut();
    else child.kill('SIGKILL');
    await ended;
    if (how === 'power') await machine.boot();
  }

  /** The next run; what the killed one had started may still have to end. */
  const again = (): Promise<Installed> =>
    until(async () => {
      const result = await install(machine, [], AWAY);
      return /another installation is still running/.test(result.all) ? undefined : result;
    }, 120_000);

  async function assertWhole({ code, all }: Installed, id: string) {
    assert.equal(code, 0, all);
    assert.equal(await current(machine), `releases/${id}`);
    assert.equal(await machine.run(['systemctl', 'is-active', 'potion']), 'active');
    const left =
      'find /opt/potion /etc/systemd /etc/potion -maxdepth 2 ( -name "*.new" -o -name "*~" -o -name upgrade.json )';
    assert.equal(await shell(left.replaceAll(/[()]/g, '\\$&')), '');
    assert.match((await install(machine, [], AWAY)).all, /nothing was changed/);
  }

  it('the first, while it builds and while it writes units, is finished by the next', async () => {
    await cutAt(/• build/);
    await cutAt(/• write \/etc\/systemd\/system\/potion\.service/);
    old = `0.1.0-${await shell(`git -C ${CLONE} rev-parse --short=7 HEAD`)}`;
    await assertWhole(await again(), old);
  });

  it('while it brings the flows of a new version is done again', async () => {
    await edit(machine, 'flows/engine-room.er.json', `s = s.replace('⚙️ Engine Room', '⚙️ Engines')`);
    next = `0.1.0-${await commit(machine, 'next')}`;
    await cutAt(/• bring the shipped flows/);
    const result = await again();
    assert.match(result.all, new RegExp(`cut short between ${old} and ${next}: bring ${old} back`));
    await assertWhole(result, next);
    assert.match(await shell('cat /var/lib/potion/flows/*.json'), /⚙️ Engines/);
  });

  it('by a power cut behind the switch is done again, the other way round too', async () => {
    await machine.run(['git', '-C', CLONE, 'checkout', '--quiet', 'HEAD~1']);
    await cutAt(/• switch to/, 'power');
    const result = await again();
    await assertWhole(result, old);
    assert.match(await shell('cat /var/lib/potion/flows/*.json'), /⚙️ Engine Room/);
  });

  it('after all was done but the last word needs no other upgrade', async () => {
    const note = { from: next, to: old, ailing: ['telegram'], merge: null, copy: null };
    await machine.writeFile('/opt/potion/upgrade.json', JSON.stringify(note));
    const started = () => machine.run(['systemctl', 'show', '-P', 'InvocationID', 'potion']);
    const before = await started();
    const result = await again();
    assert.match(result.all, new RegExp(`${old} was cut short at its end: finish it`));
    await assertWhole(result, old);
    assert.equal(await started(), before);
  });

  it('while it goes back from a version that is no good ends at the old one', async () => {
    await edit(machine, 'settings.ts', `s = s + '\\nthrow new Error("I can not go on");\\n'`);
    await commit(machine, 'crashes');
    await cutAt(/Going back to/);
    await machine.run(['git', '-C', CLONE, 'checkout', '--quiet', 'HEAD~1']);
    await assertWhole(await again(), old);
  });
});

import assert from 'node:assert/strict';
import { needs } from '../support/needs.ts';
import { Driver, InsideError, until } from './driver.ts';
import { GUEST_HOME, GUEST_NODE, type Machine } from './machine.ts';
import { bootPrivileged } from './privileged.ts';
import { UNITS } from './units.ts';

const ALLOWED = ['sleeper.service', 'crasher.service', 'nickname.service', 'gone.service'];
const POTION = { user: 'potion' };
const MANAGER = {
  destination: 'org.freedesktop.systemd1',
  path: '/org/freedesktop/systemd1',
  interface: 'org.freedesktop.systemd1.Manager',
};

/** What a Potion that somebody else has taken over might try, as arguments of systemctl. */
const SYSTEMCTL = [
  'start other',
  'stop dbus.service',
  'restart other',
  'reset-failed other',
  'reset-failed',
  'reload sleeper',
  'try-restart sleeper',
  'reload-or-restart sleeper',
  'kill sleeper',
  'kill --signal=KILL --kill-whom=all dbus.service',
  'freeze sleeper',
  'clean sleeper',
  'set-property sleeper MemoryMax=1M',
  'set-property --runtime sleeper ExecStart=/bin/sh',
  'bind sleeper /tmp /etc',
  'mask sleeper',
  'mask --runtime dbus.service',
  'enable sleeper',
  'enable nickname',
  'disable potion-helper.socket',
  'link /tmp/evil.service',
  'enable /tmp/evil.service',
  'start evil.service',
  'add-wants machine.target sleeper.service',
  'set-default rescue.target',
  'isolate rescue.target',
  'start rescue.target',
  'start reboot.target',
  'start --job-mode=isolate sleeper',
  'start web@x.service',
  'stop potion-helper.socket',
  'restart potion-packages.socket',
  'daemon-reload',
  'daemon-reexec',
  'set-environment LD_PRELOAD=/tmp/evil.so',
  'import-environment PATH',
  'cancel',
  'log-level debug',
  'service-log-level sleeper debug',
  'halt',
  'kexec',
  'suspend',
  'start sleeper.service;other.service',
];

const OTHERS: string[][] = [
  ['systemd-run', '--no-ask-password', 'touch', '/root/evil'],
  // Whitelisted, but not installed: a transient unit of that name would run as root.
  ['systemd-run', '--no-ask-password', '--unit=gone.service', 'touch', '/root/evil'],
  ['systemd-run', '--no-ask-password', '--unit=sleeper.service', 'touch', '/root/evil'],
  ['systemd-run', '--no-ask-password', '--scope', 'touch', '/root/evil'],
  [
    ...['busctl', 'call', 'org.freedesktop.systemd1', '/org/freedesktop/systemd1'],
    ...['org.freedesktop.systemd1.Manager', 'StartTransientUnit', 'ssa(sv)a(sa(sv))'],
    ...['gone.service', 'replace', '2', 'Description', 's', 'x', 'ExecStart', 'a(sasb)', '1'],
    ...['/bin/touch', '2', 'touch', '/root/evil', 'false', '0'],
  ],
  ['loginctl', '--no-ask-password', 'terminate-user', 'root'],
  ['sudo', '-n', 'true'],
  ['su', '-c', 'true'],
  ['mount', '-t', 'tmpfs', 'tmpfs', '/mnt'],
  ['cat', '/etc/shadow'],
];

const UNWRITABLE = [
  '/etc/systemd/system/evil.service',
  '/run/systemd/system/evil.service',
  '/run/systemd/transient/evil.service',
  '/etc/polkit-1/rules.d/00-evil.rules',
  '/etc/polkit-1/rules.d/50-potion.rules',
  '/opt/potion/current/evil',
  '/opt/potion/current/.potion/bin/evil',
  '/opt/potion/releases/evil',
  `${GUEST_HOME}/ops/helper/main.js`,
  '/etc/potion/potion.env',
  '/run/potion-packages/evil',
  '/run/evil',
];

describe("what Potion's user may do to units, on a booted machine", function () {
  this.timeout(60_000);
  let machine: Machine;
  let potion: Driver;

  before(async function () {
    needs(this, 'root', 'systemd-nspawn');
    machine = await bootPrivileged(ALLOWED, {
      units: UNITS,
      start: ['sleeper.service', 'dbus.service'],
      files: { '/tmp-evil/evil.service': '[Service]\nExecStart=/bin/touch /root/evil\n' },
    });
    const script = 'cp /tmp-evil/* /tmp; systemctl --quiet enable nickname; mkdir -p /run/potion-packages';
    await machine.run(['sh', '-c', script]);
    potion = new Driver(machine, 'rights', POTION);
  });

  after(async () => {
    potion?.stop();
    await machine?.stop();
  });

  /** As Potion runs: as its user, and no program that it starts can become more. */
  const attempt = (args: readonly string[]) => machine.exec(['setpriv', '--no-new-privs', ...args], POTION);
  const failure = async (verb: string, unit: string) => {
    const thrown = await potion.ask('unit', verb, unit).catch((error: InsideError) => error);
    assert.ok(thrown instanceof InsideError, `${verb} ${unit} was let through`);
    return thrown;
  };
  /** What an attack would change. */
  const state = async () => {
    const script = `systemctl show -P ActiveState -P InvocationID -P NeedDaemonReload -P MemoryMax -P UnitFileState \
        sleeper.service dbus.service other.service nickname.service potion-helper.socket potion-packages.socket
      systemctl list-units --all --plain --no-legend 'run-*' 'evil*' 'gone*' rescue.target
      systemctl show-environment; systemctl get-default; ls -A /root/evil /etc/systemd/system /run/systemd/transient 2>&1 || true`;
    return machine.run(['sh', '-c', script]);
  };

  it('is start, stop, restart and reset-failed of the whitelisted', async () => {
    for (const verb of ['start', 'restart', 'stop', 'start'])
      assert.partialDeepStrictEqual(await potion.ask('unit', verb, 'sleeper'), { result: 'done' });
    await potion.ask('unit', 'start', 'crasher').catch(() => {});
    const crasher = async () => (await machine.exec(['systemctl', 'is-active', 'crasher'])).stdout.trim();
    await until(async () => ((await crasher()) === 'failed' ? true : undefined), 10_000);
    await potion.ask('unit', 'resetFailed', 'crasher');
    assert.equal(await crasher(), 'inactive');
  });

  it('reaches a unit under its alias, when the rule has its own name', async () => {
    assert.partialDeepStrictEqual(await potion.ask('unit', 'start', 'nick'), { result: 'done' });
    assert.equal(await machine.run(['systemctl', 'is-active', 'nickname']), 'active');
    await potion.ask('unit', 'stop', 'nick');
  });

  it('says what to do where the right is missing', async () => {
    for (const verb of ['start', 'stop', 'restart', 'resetFailed']) {
      const { code, hint } = await failure(verb, 'dbus');
      assert.equal(code, 'DENIED');
      assert.match(hint, /Privileges.*dbus\.service.*SERVICES_WHITELIST.*install\.sh --privileges/);
    }
  });

  it('is nothing else, with systemctl or anything else there is', async () => {
    const before = await state();
    for (const args of [
      ...SYSTEMCTL.map((line) => ['systemctl', '--no-ask-password', ...line.split(' ')]),
      ...OTHERS,
    ]) {
      const { code, stdout, stderr } = await attempt(args);
      assert.notEqual(code, 0, `${args.join(' ')} was let through: ${stdout}${stderr}`);
    }
    assert.equal(await state(), before);
  });

  it('refuses names that are none, however they are put to systemd', async () => {
    const before = await state();
    for (const name of [
      'other.service',
      'sleeper',
      'sleeper.service\n',
      'sleeper.service other.service',
      '../sleeper.service',
      '/etc/systemd/system/sleeper.service',
      './sleeper.service',
      'SLEEPER.service',
      'sleeper.service/../other.service',
      'sleeper.socket',
      '--help',
      '-Hhost',
      `${'a'.repeat(300)}.service`,
      'sleeper.service\0.service',
    ])
      for (const [member, signature, args] of [
        ['StartUnit', 'ss', [name, 'replace']],
        ['StopUnit', 'ss', [name, 'replace']],
        ['ResetFailedUnit', 's', [name]],
        ['KillUnit', 'ssi', [name, 'all', 9]],
      ] as const) {
        const { error } = await potion.ask<{ error?: string }>('call', {
          ...MANAGER,
          member,
          signature,
          args,
        });
        assert.ok(error, `${member} ${JSON.stringify(name)} was let through`);
      }
    assert.equal(await state(), before);
  });

  it('has no file to change that root believes', async () => {
    for (const file of UNWRITABLE) {
      const { code } = await attempt(['sh', '-c', 'echo evil > "$1"', 'sh', file]);
      assert.notEqual(code, 0, `${file} could be written`);
    }
    for (const file of [
      '/run/potion-helper.sock',
      '/opt/potion/current',
      '/etc/polkit-1/rules.d/50-potion.rules',
    ])
      assert.notEqual((await attempt(['mv', file, '/tmp/taken'])).code, 0, `${file} could be moved`);
  });

  it('is written down from what is installed: aliases resolved, what is missing left out', async () => {
    const script = `import('${GUEST_HOME}/ops/install/polkit.mjs').then(({ installedUnits }) =>
      console.log(JSON.stringify(installedUnits(['nick', 'sleeper.service', 'gone', 'web@1', 'sleeper']))))`;
    assert.deepEqual(JSON.parse(await machine.run([GUEST_NODE, '-e', script])), {
      units: ['nickname.service', 'sleeper.service', 'web@1.service'],
      missing: ['gone.service'],
    });
  });
});

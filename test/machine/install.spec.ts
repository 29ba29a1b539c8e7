import assert from 'node:assert/strict';
import { writeEnv } from '../../ops/install/env-file.mjs';
import { needs } from '../support/needs.ts';
import { FAKE_TOKEN } from '../support/potion.ts';
import { until } from './driver.ts';
import { bootWithClone, CLONE, install, startTelegram, type Telegram, touched } from './installing.ts';
import { GUEST_NODE, type Machine } from './machine.ts';

const SLEEP = '[Service]\nExecStart=/bin/sleep infinity\n';

describe('the installer on a fresh machine', function () {
  this.timeout(240_000);
  let machine: Machine;
  let telegram: Telegram;

  before(async function () {
    needs(this, 'root', 'systemd-nspawn');
    machine = await bootWithClone({ units: { 'web.service': SLEEP }, start: ['web.service'] });
    telegram = await startTelegram(machine);
  });

  after(async () => {
    telegram?.driver.stop();
    await machine?.stop();
  });

  const shell = (script: string) => machine.run(['sh', '-c', script]);
  const stat = (path: string) => machine.run(['stat', '--format=%U:%G %a', path]);

  it('only shows what it would do with --dry-run', async () => {
    const before = await touched(machine).catch((thrown) => String(thrown.message));
    const { code, all } = await install(machine, ['--dry-run'], telegram.env);
    assert.equal(code, 0, all);
    for (const part of [/would: make user potion/, /would: build 0\.\d/, /would: start potion\.service/])
      assert.match(all, part);
    assert.equal(await touched(machine).catch((thrown) => String(thrown.message)), before);
  });

  it('is for root alone, and for Debian and its kin', async () => {
    const { code, stderr } = await machine.exec(['/srv/checkout/ops/install/install.sh', '--lang', 'en'], {
      user: 'nobody',
    });
    assert.equal(code, 1);
    assert.match(stderr, /sudo/);
    const elsewhere = 'mount --bind "$1" /etc/os-release && shift && exec "$@"';
    await machine.writeFile('/root/fedora', 'ID=fedora\n');
    const script = ['unshare', '--mount', 'sh', '-c', elsewhere, 'sh', '/root/fedora'];
    const other = await machine.exec([...script, `${CLONE}/ops/install/install.sh`, '--lang', 'en']);
    assert.equal(other.code, 1);
    assert.match(other.stderr, /only Debian and Ubuntu.*fedora/);
  });

  it('refuses a token that Telegram refuses, and changes nothing', async () => {
    const wrong = FAKE_TOKEN.replace('Fake', 'Fals');
    const { code, all } = await install(machine, [], { ...telegram.env, BOT_TOKEN: wrong });
    assert.equal(code, 1);
    assert.match(all, /BOT_TOKEN: Telegram refuses this token/);
    assert.doesNotMatch(all, /AAFals/);
    assert.equal((await machine.exec(['ls', '/opt/potion'])).code, 2);
  });

  it('refuses where the name of its user belongs to a person', async () => {
    await machine.run(['useradd', 'potion']);
    const { code, all } = await install(machine, [], telegram.env);
    assert.equal(code, 1);
    assert.match(all, /a user "potion" that belongs to a person/);
    await machine.run(['userdel', 'potion']);
    assert.equal((await machine.exec(['ls', '/opt/potion'])).code, 2);
  });

  it('fetches the programs that are missing, and no others', async () => {
    // In place of apt, which has no internet here.
    await machine.writeFile('/usr/local/sbin/apt-get', APT, '755');
    await shell('mv /usr/sbin/logrotate /root/logrotate; mv /usr/bin/git /root/git');
    const plan = await install(machine, ['--dry-run']);
    assert.equal(plan.code, 0, plan.all);
    assert.match(plan.all, /would install packages: git logrotate \(apt-get install\)/);
    // With git there again it goes on to its end.
    await install(machine, ['--privileges']);
    assert.equal(
      await shell('cat /root/apt.log'),
      'update --quiet=2\ninstall --yes --no-install-recommends git\ninstall --yes --no-install-recommends logrotate',
    );
    await shell('rm /usr/local/sbin/apt-get; mv /root/logrotate /usr/sbin/logrotate; test -x /usr/bin/git');
  });

  it('says what it is going to do also where there is no Node yet', async () => {
    const hide =
      'for node in node nodejs; do mount --bind /dev/null "$(readlink -f /usr/bin/$node)" || true; done; exec "$@"';
    const script = [
      'unshare',
      '--mount',
      'sh',
      '-c',
      hide,
      'sh',
      `${CLONE}/ops/install/install.sh`,
      '--lang',
      'en',
    ];
    const { code, stderr } = await machine.exec([...script, '--dry-run']);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /would install packages: .*nodejs/);
    assert.match(stderr, /user potion, folders .*potion\.service/);
  });

  it('asks in a terminal, and goes from there to the first answer of the bot', async () => {
    const token = telegram.env.BOT_TOKEN ?? '';
    const answers = ['my token', token.replace('Fake', 'Fals'), token, '@dre', String(telegram.user)];
    const typed = [...answers, "Dre's laptop", 'web,later', '', ''].join('\n');
    const program = `${CLONE}/ops/install/install.sh --lang en --telegram-api-url ${telegram.env.TELEGRAM_API_URL}`;
    // Its own echo is what a terminal adds.
    const terminal = ['script', '--quiet', '--return', '--echo', 'never', '--command', program, '/dev/null'];
    const { code, stdout } = await machine.exec(terminal, { input: `${typed}\n`, timeout: 240_000 });
    assert.equal(code, 0, stdout);
    assert.match(stdout, /does not look like a token[\s\S]*refuses this token[\s\S]*knows this bot/);
    assert.match(stdout, /An id is only digits/);
    assert.match(stdout, /Editor: http:\/\/127\.0\.0\.1:1880/);
    assert.match(stdout, /open https:\/\/t\.me\/\w+, send \/start and then \/status/);
    assert.match(stdout, /Not on this machine yet: later\.service/);
    await telegram.driver.ask('say', '/status');
    await until(
      async () => (await telegram.driver.ask<string[]>('heard')).find((text) => /CPU/.test(text)),
      30_000,
    );
    const main = await machine.run(['systemctl', 'show', '-P', 'MainPID', 'potion']);
    assert.match(await shell(`tr '\\0' '\\n' < /proc/${main}/environ`), /^SERVER_NAME=Dre's laptop$/m);
  });

  it('gives each part to whom it belongs', async () => {
    assert.equal(await stat('/etc/potion/potion.env'), 'root:root 600');
    for (const path of ['/var/lib/potion', '/var/log/potion', '/var/cache/potion'])
      assert.equal(await stat(path), 'potion:potion 750');
    assert.equal(await shell('find /opt/potion ! -type l \\( ! -user root -o -perm /022 \\) | head -3'), '');
    assert.match(await shell('id -nG potion'), /adm.*systemd-journal|systemd-journal.*adm/);
    assert.equal(await shell('getent passwd potion | cut -d: -f6,7'), '/var/lib/potion:/usr/sbin/nologin');
    const main = await machine.run(['systemctl', 'show', '-P', 'MainPID', 'potion']);
    assert.equal(await shell(`stat --format=%U /proc/${main}`), 'potion');
    assert.doesNotMatch(await shell(`tr '\\0' ' ' < /proc/${main}/cmdline`), /AAFake/);
    assert.match(await machine.run(['cat', '/etc/polkit-1/rules.d/50-potion.rules']), /"web\.service"/);
  });

  it('keeps the flows in git, on a branch of the person', async () => {
    const branch = ['setpriv', '--reuid=potion', '--regid=potion', '--clear-groups'];
    const git = ['git', '-C', '/var/lib/potion/flows'];
    assert.equal(await machine.run([...branch, ...git, 'branch', '--show-current']), 'mine');
    assert.equal(await machine.run([...branch, ...git, 'status', '--porcelain']), '');
  });

  it('changes nothing the second time, and says so', async () => {
    const before = await touched(machine);
    const { code, all } = await install(machine);
    assert.equal(code, 0, all);
    assert.match(all, /nothing was changed/);
    assert.doesNotMatch(all, /•/);
    assert.equal(await touched(machine), before);
  });

  it('lets only one of two run', async () => {
    const holds = machine.spawn([
      'sh',
      '-c',
      'exec 9>/run/lock/potion-install.lock; flock 9; exec sleep 600',
    ]);
    try {
      await until(async () => ((await install(machine, ['--privileges'])).code === 1 ? true : undefined));
      assert.match((await install(machine)).all, /another installation is still running/);
    } finally {
      holds.kill('SIGKILL');
    }
    await until(async () => ((await install(machine, ['--privileges'])).code === 0 ? true : undefined));
  });

  it('renews privileges when the whitelist was edited', async () => {
    await machine.writeFile('/etc/systemd/system/later.service', SLEEP);
    await machine.run(['systemctl', 'daemon-reload']);
    const { code, all } = await install(machine, ['--privileges']);
    assert.equal(code, 0, all);
    assert.match(await machine.run(['cat', '/etc/polkit-1/rules.d/50-potion.rules']), /"later\.service"/);
    assert.doesNotMatch(all, /restart potion\.service/, 'its settings are the same');
  });

  it('takes an edited setting over with a restart, and keeps what the person wrote beside it', async () => {
    await shell('printf "# mine\\nFOO=bar\\n" >> /etc/potion/potion.env');
    const { code, all } = await install(machine, ['--server-name', 'Warung']);
    assert.equal(code, 0, all);
    assert.match(all, /restart potion\.service/);
    const env = await machine.run(['cat', '/etc/potion/potion.env']);
    assert.match(env, /^SERVER_NAME=Warung$/m);
    assert.match(env, /# mine\nFOO=bar$/);
    assert.match(await install(machine).then(({ all }) => all), /nothing was changed/);
  });

  it('names a setting that makes no sense, and keeps the one that was there', async () => {
    const before = await touched(machine);
    const { code, all } = await install(machine, ['--port', 'many']);
    assert.equal(code, 1);
    assert.match(all, /POTION_PORT/);
    assert.equal(await touched(machine), before);
  });

  it('writes settings as systemd reads them', async () => {
    const values = {
      A: `it's "so" $HOME \`x\` \\ end`,
      B: '$2b$08$abc.def/ghi',
      C: 'plain',
      D: '  edges  ',
      E: '# no comment; at all',
      F: '🎛️ é',
    };
    await machine.writeFile('/root/odd.env', writeEnv('# head\n', values));
    const unit = ['systemd-run', '--quiet', '--wait', '--pipe', '--property=EnvironmentFile=/root/odd.env'];
    const env = await machine.run([...unit, GUEST_NODE, '-p', 'JSON.stringify(process.env)']);
    const { A, B, C, D, E, F } = JSON.parse(env);
    assert.deepEqual({ A, B, C, D, E, F }, values);
  });
});

/** Notes what it was asked for, and brings back what the test has put away. */
const APT = `#!/bin/sh
echo "$*" >> /root/apt.log
case "$*" in *install*git) mv /root/git /usr/bin/git ;; esac
`;

import assert from 'node:assert/strict';
import { needs } from '../support/needs.ts';
import { Driver, InsideError, until } from './driver.ts';
import {
  bootWithClone,
  CLONE,
  commit,
  current,
  giveRemote,
  install,
  REMOTE,
  startTelegram,
  type Telegram,
} from './installing.ts';
import type { Machine } from './machine.ts';

const PACKAGES = '/run/potion-packages.sock';
const DISKS = '/run/potion-helper.sock';
const SOURCE = '/opt/potion/source';
const NOBODYS = 'a'.repeat(40);

/** What is no id of a commit, as the commit of a request. */
const NO_COMMITS = [
  '',
  'HEAD',
  'main',
  'abc1234',
  '--help',
  '--upload-pack=touch /run/evil',
  `${'a'.repeat(39)}g`,
  `${'a'.repeat(41)}`,
  `${'A'.repeat(40)}`,
  `${NOBODYS}\n`,
  `${NOBODYS}.service`,
  `${NOBODYS} sshd`,
  `../${NOBODYS}`,
  `${NOBODYS};reboot`,
  7,
  null,
  [NOBODYS],
  { toString: NOBODYS },
];

describe("Potion's helper for new versions of Potion, on a booted machine", function () {
  this.timeout(90_000);
  let machine: Machine;
  let telegram: Telegram;
  let potion: Driver;
  let installed = '';
  let release = '';

  before(async function () {
    this.timeout(240_000);
    needs(this, 'root', 'systemd-nspawn');
    machine = await bootWithClone();
    telegram = await startTelegram(machine);
    await giveRemote(machine);
    const { code, all } = await install(machine, [], telegram.env);
    assert.equal(code, 0, all);
    installed = await shell(`git -C ${CLONE} rev-parse HEAD`);
    release = await current(machine);
    potion = new Driver(machine, 'rights', { user: 'potion' });
  });

  after(async () => {
    potion?.stop();
    telegram?.driver.stop();
    await machine?.stop();
  });

  const shell = (script: string) => machine.run(['sh', '-ec', script], { timeout: 60_000 });
  const there = async (path: string) => (await machine.exec(['test', '-e', path])).code === 0;
  const raw = (line: string, socket = PACKAGES) =>
    potion.ask<string>('raw', socket, Buffer.from(`${line}\n`).toString('base64'));
  const failure = async (verb: string, args: object = {}) => {
    const thrown = await potion.ask('helper', verb, args).catch((error: InsideError) => error);
    assert.ok(thrown instanceof InsideError, `${verb} was carried out`);
    return thrown;
  };
  /** Asks for a commit, and waits for what came of it. */
  const upgradeTo = async (id: string) => {
    const since = Date.now();
    await potion.ask('helper', 'potion.upgrade', { commit: id });
    return until(async () => {
      const text = (await machine.exec(['cat', '/opt/potion/last-upgrade.json'])).stdout;
      const record = text ? JSON.parse(text) : {};
      return record.commit === id && record.startedAt >= since && record.state !== 'running'
        ? (record as { state: string; reason: string })
        : undefined;
    }, 60_000);
  };
  const pushed = async (message: string) => {
    await commit(machine, message);
    await shell(`git -C ${CLONE} push --quiet origin HEAD`);
    return shell(`git -C ${CLONE} rev-parse HEAD`);
  };

  it('takes nothing but the whole id of a commit', async () => {
    for (const id of NO_COMMITS) {
      const answer = await raw(JSON.stringify({ verb: 'potion.upgrade', args: { commit: id } }));
      assert.match(answer, /"reason":"request"/, JSON.stringify(id));
    }
    assert.equal(await there('/opt/potion/last-upgrade.json'), false);
    assert.equal(await there('/run/evil'), false);
  });

  it('takes no address, no branch and no more than it knows', async () => {
    const more = { commit: NOBODYS, url: 'https://example.org/evil.git' };
    assert.match(await raw(JSON.stringify({ verb: 'potion.upgrade', args: more })), /"reason":"request"/);
    const url = JSON.stringify({ verb: 'potion.incoming', args: { url: '/tmp/evil.git' } });
    assert.match(await raw(url), /"reason":"request"/);
    const other = JSON.stringify({ verb: 'potion.incoming', args: {} });
    assert.match(await raw(other, DISKS), /"reason":"request"/, 'nor on the other socket');
  });

  it('installs nothing that the remembered branch does not have', async () => {
    assert.partialDeepStrictEqual(await upgradeTo(NOBODYS), { state: 'refused', reason: 'not-on-branch' });
    await potion.ask('helper', 'potion.incoming', {});
    // Even a commit that lies in root's clone, but on no branch of the remote.
    const stray = await shell(`cd ${SOURCE}; tree=$(git rev-parse ${installed}^{tree})
      git -c user.name=x -c user.email=x@y commit-tree -p ${installed} -m stray $tree`);
    assert.partialDeepStrictEqual(await upgradeTo(stray), { state: 'refused', reason: 'not-on-branch' });
    const side =
      await shell(`cd ${CLONE}; git checkout --quiet -b side; git commit --quiet --allow-empty -m side
      git push --quiet origin side; git rev-parse HEAD; git checkout --quiet -`);
    assert.partialDeepStrictEqual(await upgradeTo(side), { state: 'refused', reason: 'not-on-branch' });
    assert.equal(await current(machine), release);
  });

  it('never goes back to an older version', async () => {
    const older = await shell(`git -C ${CLONE} rev-parse HEAD~1`);
    assert.partialDeepStrictEqual(await upgradeTo(older), { state: 'refused', reason: 'not-forward' });
    assert.equal(await current(machine), release);
  });

  it('trusts no clone and no settings that somebody else could have written', async () => {
    const spoilt: [string, string, string][] = [
      ['a clone of somebody else', `chown potion ${SOURCE}`, `chown root ${SOURCE}`],
      ['a clone that others may write to', `chmod o+w ${SOURCE}/.git`, `chmod o-w ${SOURCE}/.git`],
      ['its configuration', `chown potion ${SOURCE}/.git/config`, `chown root ${SOURCE}/.git/config`],
      [
        'a link to a clone',
        `mv ${SOURCE} /var/lib/potion/source; ln -s /var/lib/potion/source ${SOURCE}`,
        `rm ${SOURCE}; mv /var/lib/potion/source ${SOURCE}`,
      ],
      ['the folder around it', 'chmod g+w /opt/potion', 'chmod g-w /opt/potion'],
      ['the address', 'chown potion /etc/potion/source.conf', 'chown root /etc/potion/source.conf'],
    ];
    for (const [what, spoil, mend] of spoilt) {
      await shell(spoil);
      try {
        const { code } = await failure('potion.incoming');
        assert.equal(code, 'DENIED', what);
        assert.partialDeepStrictEqual(
          await upgradeTo(NOBODYS),
          { state: 'refused', reason: 'foreign' },
          what,
        );
      } finally {
        await shell(mend);
      }
    }
    await potion.ask('helper', 'potion.incoming', {});
  });

  it('takes no address that runs a program or that others can change on the way', async () => {
    await shell('cp -p /etc/potion/source.conf /root/source.conf');
    const bad = [
      'ext::touch /run/evil',
      'http://127.0.0.1/x.git',
      'git://127.0.0.1/x',
      '--upload-pack=x',
      'fd::7',
    ];
    for (const url of bad) {
      await machine.writeFile('/etc/potion/source.conf', `URL="${url}"\nBRANCH=main\n`, '600');
      assert.equal((await failure('potion.incoming')).code, 'INVALID', url);
    }
    await machine.writeFile('/etc/potion/source.conf', `URL=${REMOTE}\nBRANCH=--all\n`, '600');
    assert.equal((await failure('potion.incoming')).code, 'INVALID');
    await shell('rm /etc/potion/source.conf');
    const { code, hint } = await failure('potion.incoming');
    assert.equal(code, 'NOT_FOUND');
    assert.match(hint, /install\.sh/);
    await shell('cp -p /root/source.conf /etc/potion/source.conf');
    assert.equal(await there('/run/evil'), false);
  });

  it('runs no hook of the clone, and gives nothing of its surroundings to what it runs', async () => {
    await shell(`cd ${SOURCE}/.git; mkdir -p hooks
      for name in post-checkout reference-transaction post-merge pre-auto-gc fsmonitor-watchman; do
        printf '#!/bin/sh\\ntouch /run/evil\\n' >hooks/$name; chmod 755 hooks/$name
      done`);
    await shell(`cd ${CLONE}/ops/install
      sed -i '2i env -0 >/run/surroundings' install.sh`);
    const id = await pushed('writes its surroundings down');
    assert.partialDeepStrictEqual(await upgradeTo(id), { state: 'upgraded' });
    assert.equal(await there('/run/evil'), false);
    const names = (await shell('cat /run/surroundings'))
      .split('\0')
      .filter(Boolean)
      .map((line) => line.split('=', 1)[0] ?? '');
    const known = ['HOME', 'LC_ALL', 'PATH', 'POTION_REPORT', 'PWD', 'OLDPWD', 'SHLVL', '_'];
    assert.deepEqual(
      names.filter((name) => !known.includes(name)),
      [],
    );
  });

  it('is refused where the administrator has switched it off', async () => {
    await shell(`cp -p /etc/potion/potion.env /root/potion.env
      echo 'HELPER_VERBS="apt.list"' >>/etc/potion/potion.env`);
    for (const [verb, args] of [
      ['potion.incoming', {}],
      ['potion.upgrade', { commit: installed }],
    ] as const)
      assert.equal((await failure(verb, args)).code, 'DENIED');
    await shell('cp -p /root/potion.env /etc/potion/potion.env');
  });

  it('gives nobody else a way to its unit', async () => {
    const unit = `potion-upgrade@${installed}.service`;
    const { code } = await machine.exec(['systemctl', '--no-ask-password', 'start', unit], {
      user: 'potion',
    });
    assert.notEqual(code, 0);
    await machine.run(['useradd', '--system', 'other']);
    const stranger = new Driver(machine, 'rights', { user: 'other' });
    const thrown = await stranger.ask('helper', 'potion.incoming', {}).catch((error: InsideError) => error);
    stranger.stop();
    assert.ok(thrown instanceof InsideError);
    assert.equal(thrown.code, 'DENIED');
  });
});

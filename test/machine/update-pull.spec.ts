import assert from 'node:assert/strict';
import { needs } from '../support/needs.ts';
import { Chat } from './chat.ts';
import { until } from './driver.ts';
import {
  bootWithClone,
  CLONE,
  commit,
  current,
  edit,
  giveRemote,
  health,
  install,
  REMOTE,
  startTelegram,
  type Telegram,
} from './installing.ts';
import type { Machine } from './machine.ts';

describe('Update: new versions of Potion, on a booted machine', function () {
  this.timeout(240_000);
  let machine: Machine;
  let telegram: Telegram;
  let chat: Chat;
  let first = '';

  before(async function () {
    needs(this, 'root', 'systemd-nspawn');
    machine = await bootWithClone();
    telegram = await startTelegram(machine);
    await giveRemote(machine);
    const { code, all } = await install(machine, ['--lang', 'id'], telegram.env);
    assert.equal(code, 0, all);
    first = await current(machine);
    chat = new Chat(telegram.driver);
  });

  after(async () => {
    telegram?.driver.stop();
    await machine?.stop();
  });

  const shell = (script: string) => machine.run(['sh', '-ec', script], { timeout: 60_000 });
  const push = async (message: string) => {
    const id = await commit(machine, message);
    await shell(`cd ${CLONE}; git push --quiet origin HEAD`);
    return id;
  };
  const journal = () => machine.run(['journalctl', '-t', 'potion-upgrade', '-o', 'cat', '--no-pager']);
  /** Asks for what is new, and says yes to it; where the chat stood then. */
  const pull = async (label: RegExp) => {
    const news = await chat.ask('/git_pull', /→/);
    const apply = news.buttons.flat().find((one) => label.test(one)) ?? '';
    const question = await chat.press(news, apply, /Yakin mau memperbarui Potion ke/);
    return chat.press(question, '✅ Ya', /Memasang Potion/);
  };

  it('remembers where it came from, for root alone', async () => {
    const branch = await shell(`cd ${CLONE}; git branch --show-current`);
    const conf = await machine.run(['cat', '/etc/potion/source.conf']);
    assert.match(conf, new RegExp(`URL=${REMOTE}\\nBRANCH=${branch}$`));
    assert.equal(await machine.run(['stat', '-c', '%a %U', '/etc/potion/source.conf']), '600 root');
  });

  it('says so when there is nothing new, and what is wrong with what makes no sense', async () => {
    await chat.ask('/git_pull', /Potion sudah terbaru/);
    await chat.ask('/git_apply', /\/git_apply <commit>/);
    const question = await chat.ask('/git_apply --help', /Yakin/);
    await chat.press(question, '✅ Ya', /--help bukan id commit/);
    await chat.ask('/git_pull origin', /kelebihan/);
  });

  it('brings a good version, and the new Potion tells it', async () => {
    await edit(machine, 'package.json', `s = s.replace(/"version": "[^"]*"/, '"version": "9.1.0"')`);
    await edit(machine, 'CHANGELOG.md', `s = s.replace('\\n', '\\n\\n- Seals the hatch by itself.\\n')`);
    const id = `9.1.0-${await push('Hatch: seals itself')}`;
    const begun = await pull(/Pasang 9\.1\.0/);
    const news = (await chat.log(0)).findLast(({ text }) => /→ 9\.1\.0/.test(text));
    assert.match(
      news?.text ?? '',
      /1 commit, 2 berkas berubah[\s\S]*Seals the hatch[\s\S]*Hatch: seals itself/,
    );
    const told = await chat.next(begun.next, /Beres! ✅ Potion diperbarui/, 120_000).catch(async (thrown) => {
      throw new Error(`${thrown.message}\n${await journal()}`);
    });
    assert.notEqual(told.id, begun.id, 'a message of its own, which rings');
    assert.match(told.text, new RegExp(`${first.replace('releases/', '')} → ${id}`));
    assert.equal(await current(machine), `releases/${id}`);
    const log = (await chat.log(0)).filter(({ text }) => /Belum tentu jadi/.test(text));
    assert.deepEqual(log, [], 'nobody speaks of an interruption');
    assert.match(
      await machine.run(['cat', '/var/log/potion/actions.log']),
      /event=result action=git_apply .*result=upgraded/,
    );
    await until(async () => ((await health(machine)) === '200' ? true : undefined), 30_000);
  });

  it('tells that a version which does not become well was taken back, and why', async () => {
    const before = await current(machine);
    await edit(machine, 'settings.ts', `s = s + '\\nthrow new Error("The hatch is stuck");\\n'`);
    await push('crashes');
    const begun = await pull(/Pasang/);
    const told = await chat.next(begun.next, /tidak jadi dipasang/, 150_000).catch(async (thrown) => {
      throw new Error(`${thrown.message}\n${await journal()}`);
    });
    assert.match(told.text, /9\.1\.0-\w+ sudah aku kembalikan[\s\S]*The hatch is stuck/);
    assert.equal(await current(machine), before);
  });

  it('leaves what is running alone when a version can not be built, and says why', async () => {
    const state = async () => [
      await current(machine),
      await machine.run(['systemctl', 'show', '-P', 'MainPID', 'potion']),
    ];
    const before = await state();
    await machine.writeFile(`${CLONE}/nodes/kit/wrong.ts`, 'export const wrong: number = "text";\n');
    await push('does not build');
    const begun = await pull(/Pasang/);
    const told = await chat.next(begun.next, /tidak bisa dipasang/, 60_000);
    assert.match(told.text, /Yang sedang jalan tidak disentuh[\s\S]*gagal dibangun/);
    assert.deepEqual(await state(), before);
  });
});

import assert from 'node:assert/strict';
import { needs } from '../support/needs.ts';
import { Chat } from './chat.ts';
import { until } from './driver.ts';
import { type Installed, layOut } from './installed.ts';
import { bootMachine, type Machine } from './machine.ts';
import { ownRepository, publish } from './packages.ts';

// Tells that it has begun, and goes on when it is let.
const SLOW = `touch /run/in-postinst
for i in $(seq 900); do test ! -e /run/go || break; sleep 0.05; done`;

describe('Update: packages of the system, on a booted machine', function () {
  this.timeout(90_000);
  let machine: Machine;
  let potion: Installed;
  let chat: Chat;

  before(async function () {
    needs(this, 'root', 'systemd-nspawn');
    machine = await bootMachine();
    await ownRepository(machine);
    for (const name of ['demo', 'other'])
      await machine.run(['dpkg', '--install', await publish(machine, name, '1')]);
    potion = await layOut(machine);
    await machine.run(['systemctl', 'start', 'potion-helper.socket', 'potion-packages.socket']);
    await potion.start();
    chat = new Chat(potion.telegram);
  });

  after(async () => {
    potion?.close();
    await machine?.stop();
  });

  afterEach(async () => {
    await go();
    const running = ['pgrep', '-f', '^/usr/bin/(flock|apt-get)|ops/helper/main.js packages'];
    await until(async () => ((await machine.exec(running)).code === 1 ? true : undefined), 20_000);
    await machine.run(['rm', '-f', '/run/in-postinst', '/run/go']);
  });

  const there = async (path: string) => (await machine.exec(['test', '-e', path])).code === 0;
  const inPostinst = () => until(async () => ((await there('/run/in-postinst')) ? true : undefined), 20_000);
  const go = () => machine.run(['touch', '/run/go']);
  const version = async (name: string) =>
    // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own
    (await machine.run(['dpkg-query', '--show', '--showformat=${Version} ${db:Status-Abbrev}', name])).trim();
  /** Asks for the upgrade and says yes; the message that then tells how far it is. */
  const agree = async () => {
    await chat.ask('/apt_update', /siap dipasang/);
    const question = await chat.ask('/apt_upgrade', /Yakin mau memasang semua update paket/);
    return chat.press(question, '✅ Ya', /Mengunduh|Memasang/);
  };

  it('is behind its button', async () => {
    const panel = await chat.ask('🔄 Update', /Mau memperbarui yang mana/);
    const list = await chat.press(panel, '📦 Paket sistem (apt)', /terbaru/);
    assert.equal(list.id, panel.id, 'in the same message');
    assert.deepEqual(list.buttons, [['🔄 Cek ulang', '⬅️ Update']]);
    assert.equal((await chat.press(list, '⬅️ Update')).text, panel.text);
  });

  it('lists what is new, asks, and tells how far it is and what came of it', async () => {
    await publish(machine, 'demo', '2', { postinst: SLOW });
    await publish(machine, 'other', '2');
    const list = await chat.ask('/apt_update', /2 update siap dipasang/);
    assert.match(list.text, /Yang perlu diunduh: \d+ B|Semuanya sudah terunduh|[\d,]+\sKB/);
    assert.match(list.text, /demo, other/);
    assert.deepEqual(list.buttons[0], ['⬆️ Pasang semua']);
    const question = await chat.press(list, '⬆️ Pasang semua', /Yakin mau memasang semua update paket/);
    assert.equal(await version('demo'), '1 ii', 'nothing happens before the yes');
    const progress = await chat.press(question, '✅ Ya', /Mengunduh|Memasang/);
    assert.equal(progress.id, list.id);
    await inPostinst();
    await go();
    const done = await chat.next(progress.next, /Beres! ✅ 2 paket diperbarui dalam/);
    assert.equal(done.id, list.id, 'all in one message');
    assert.equal(await version('demo'), '2 ii');
    assert.match(
      await machine.run(['cat', '/var/log/potion/actions.log']),
      /event=result action=apt_upgrade .*result=ok/,
    );
  });

  it('says so when there is nothing to install, and when something is asked for that makes no sense', async () => {
    const question = await chat.ask('/apt_upgrade', /Yakin/);
    await chat.press(question, '✅ Ya', /Tidak ada yang perlu dipasang/);
    await chat.ask('/apt_upgrade demo', /\/apt_upgrade/);
    await chat.ask('/apt_update -y', /\/apt_update/);
  });

  it('tells who is at work already, and what an installation that was cut off needs', async () => {
    await publish(machine, 'demo', '3', { postinst: SLOW });
    const first = await agree();
    await inPostinst();
    const second = await chat.ask('/apt_upgrade', /Yakin/);
    await chat.press(second, '✅ Ya', /pemasangan atau update lain masih jalan[\s\S]*👉 Tunggu/);
    await machine.run(['pkill', '-KILL', '-x', 'dpkg']);
    await chat.next(first.next, /apt gagal/);
    await go();
    const third = await chat.ask('/apt_upgrade', /Yakin/);
    await chat.press(third, '✅ Ya', /terputus di tengah jalan[\s\S]*sudo dpkg --configure -a/);
    await machine.run(['dpkg', '--configure', '-a']);
    assert.equal(await version('demo'), '3 ii');
  });

  it('goes on when Potion ends, and the next Potion tells what came of it', async () => {
    await publish(machine, 'demo', '4', { postinst: SLOW });
    const { next } = await agree();
    await inPostinst();
    await potion.kill();
    await potion.start();
    await go();
    const told = await chat.next(next, /tadi ternyata beres ✅ 1 paket diperbarui/);
    assert.equal(await version('demo'), '4 ii');
    await potion.kill();
    await potion.start();
    const again = (await chat.log(told.next)).filter(({ text }) => /ternyata/.test(text));
    assert.deepEqual(again, [], 'once');
  });

  it('tells after a restart that it was cut off in the middle', async () => {
    await publish(machine, 'demo', '5', { postinst: SLOW });
    const { next } = await agree();
    await inPostinst();
    await potion.kill();
    await machine.run(['sh', '-c', 'pkill -KILL -x apt-get; pkill -KILL -x dpkg; true']);
    await go();
    await potion.start();
    await chat.next(next, /terputus di tengah pemasangan ❌ \(demo\)[\s\S]*sudo dpkg --configure -a/);
    await machine.run(['dpkg', '--configure', '-a']);
  });

  it('goes on when the helper itself is killed, and Potion finds out', async () => {
    await publish(machine, 'demo', '6', { postinst: SLOW });
    const { next } = await agree();
    await inPostinst();
    await machine.run(['pkill', '-KILL', '-f', 'ops/helper/main.js packages']);
    await go();
    await chat.next(next, /tadi ternyata beres ✅ 1 paket diperbarui/);
    assert.equal(await version('demo'), '6 ii');
  });

  it('shows that a reboot is needed, and why', async () => {
    await machine.run([
      'sh',
      '-c',
      'touch /run/reboot-required; echo linux-image-6 >/run/reboot-required.pkgs',
    ]);
    const panel = await chat.ask('/update', /perlu reboot.*\(linux-image-6\)/);
    assert.ok(panel.buttons.flat().includes('🔁 Reboot'));
    await machine.run(['sh', '-c', 'rm /run/reboot-required*']);
  });

  it('offers what was known before when the lists can not be fetched', async () => {
    await publish(machine, 'demo', '7');
    await chat.ask('/apt_update', /1 update/);
    await machine.writeFile(
      '/etc/apt/sources.list.d/away.list',
      'deb [trusted=yes] http://127.0.0.1:9/ ./\n',
    );
    await chat.ask('/apt_update', /1 update siap dipasang[\s\S]*Daftarnya tidak bisa diperbarui/);
    await machine.run(['rm', '/etc/apt/sources.list.d/away.list']);
  });

  it('names the step of the guide where the privilege is missing', async () => {
    await machine.run(['systemctl', 'stop', 'potion-packages.socket']);
    await chat.ask('/apt_update', /helper root[\s\S]*install\.sh --privileges/);
    await machine.run(['systemctl', 'start', 'potion-packages.socket']);
  });
});

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { polkitRules } from '../../ops/install/polkit.mjs';
import { needs } from '../support/needs.ts';
import { Chat } from './chat.ts';
import { until } from './driver.ts';
import { type Installed, layOut } from './installed.ts';
import { bootMachine, type Machine } from './machine.ts';

// A container's own boot id is a mount over /proc, which the sandbox of potion.service does not take along.
const BOOT_ID = `[Unit]
Before=potion.service
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'cat /proc/sys/kernel/random/boot_id >/run/boot-id'
`;
const BOOT_ID_INSIDE = '[Service]\nBindReadOnlyPaths=/run/boot-id:/proc/sys/kernel/random/boot_id';

describe('Kontrol: power, on a booted machine', function () {
  this.timeout(180_000);
  let machine: Machine;
  let potion: Installed;
  let chat: Chat;

  before(async function () {
    needs(this, 'root', 'systemd-nspawn');
    machine = await bootMachine({
      units: { 'boot-id.service': BOOT_ID },
      start: ['systemd-logind.service', 'boot-id.service'],
      files: { '/etc/polkit-1/rules.d/50-potion.rules': polkitRules([]) },
    });
    const seconds = { seconds: 5 };
    potion = await layOut(machine, {
      dropIn: BOOT_ID_INSIDE,
      env: { SERVER_NAME: 'laptop' },
      changes: { 'er-reboot-go': seconds, 'er-shutdown-go': { seconds: 60 } },
    });
    await potion.start();
    chat = new Chat(potion.telegram);
  });

  after(async () => {
    potion?.close();
    await machine?.stop();
  });

  const booted = () => machine.run(['systemctl', 'show', '-P', 'UserspaceTimestampMonotonic']);
  /** Its first process is gone. */
  const isOff = async () => !existsSync(`/proc/${machine.pid}`);
  const audit = () => machine.run(['cat', '/var/log/potion/actions.log']);

  it('waits for a program that must not be interrupted, and says which, before it asks anything', async () => {
    const apt = machine.spawn([
      ...['systemd-inhibit', '--what=shutdown', '--who=APT', '--why=installing packages', '--mode=block'],
      ...['sleep', 'infinity'],
    ]);
    const inhibited = async () => (await machine.run(['systemd-inhibit', '--list'])).includes('APT');
    await until(async () => ((await inhibited()) ? true : undefined));
    assert.match((await chat.ask('/reboot')).text, /APT sedang tidak boleh diganggu: installing packages/);
    assert.match((await chat.ask('/poweroff')).text, /APT sedang tidak boleh diganggu/);
    apt.kill('SIGKILL');
    await until(async () => ((await inhibited()) ? undefined : true));
  });

  it('says before a shutdown that somebody has to switch it on again', async () => {
    const question = await chat.ask('/shutdown', /Yakin mau matikan server/);
    assert.match(question.text, /nyalanya lagi cuma lewat tombol power/);
    const no = await chat.press(question, '❌ Batal');
    assert.match(no.text, /batal ❌/);
    assert.match((await chat.press(no, '⬅️ Kembali')).text, /Service/);
  });

  it('counts down in one message, and is cancelled by its button', async () => {
    const before = await booted();
    const question = await chat.ask('/reboot', /Yakin mau reboot server/);
    const from = await chat.here();
    const counting = await chat.press(question, '✅ Ya', /di-reboot 5 detik lagi/);
    assert.equal(counting.id, question.id);
    assert.deepEqual(counting.buttons, [['✋ Batal']]);
    const later = await chat.next(counting.next, /di-reboot 4 detik lagi/);
    assert.equal(later.id, question.id);
    const cancelled = await chat.press(later, '✋ Batal', /reboot batal/);
    assert.equal(cancelled.id, question.id);
    await sleep(6000);
    assert.equal(await booted(), before);
    const texts = (await chat.log(from)).filter(({ what }) => what === 'sent').map(({ text }) => text);
    assert.deepEqual(texts, [], 'nothing but the one message');
    assert.match(await audit(), /event=result action=reboot .*result=CANCELLED/);
  });

  it('is cancelled by /cancel, which also says when there is nothing to cancel', async () => {
    assert.match((await chat.ask('/cancel')).text, /Tidak ada hitung mundur/);
    const question = await chat.ask('/shutdown', /Yakin/);
    const counting = await chat.press(question, '✅ Ya', /dimatikan 1 menit lagi/);
    assert.match((await chat.ask('/reboot')).text, /hitung mundur power-off masih berjalan/);
    const cancelled = await chat.ask('/cancel', /shutdown batal/);
    await chat.next(cancelled.next - 1, /shutdown batal/);
    await sleep(500);
    const shown = (await chat.log(counting.next)).filter(({ text }) => /shutdown batal/.test(text));
    assert.equal(shown.length, 2, 'the countdown itself, and the answer to /cancel');
    assert.ok(shown.some(({ id }) => id === counting.id));
  });

  it('ends with Potion: after a crash in the countdown nothing is rebooted, and that is told', async () => {
    const before = await booted();
    const question = await chat.ask('/reboot', /Yakin/);
    await chat.press(question, '✅ Ya', /di-reboot 5 detik lagi/);
    const from = await chat.here();
    await potion.kill();
    await potion.start();
    const told = await chat.next(from, /Reboot batal, karena aku sendiri sempat berhenti/);
    assert.equal(told.id, question.id);
    await potion.telegram.ask('redeliver');
    await sleep(6000);
    assert.equal(await booted(), before);
    const after = (await chat.log(told.next)).map(({ text }) => text);
    assert.ok(!after.some((text) => /di-reboot|Belum tentu jadi/.test(text)), JSON.stringify(after));
  });

  it('is done by no old question, redelivered update or second press', async () => {
    const before = await booted();
    const question = await chat.ask('/reboot', /Yakin/);
    await chat.press(question, '❌ Batal');
    await potion.telegram.ask('redeliver');
    const from = await chat.here();
    await potion.telegram.ask('say', 'YA');
    await chat.next(from, /tidak ada yang perlu dijawab/);
    await sleep(6000);
    assert.equal(await booted(), before);
  });

  it('reboots, once, and says afterwards that it was wanted', async () => {
    const before = await booted();
    const question = await chat.ask('/reboot', /Yakin/);
    let last = '';
    await machine.rebooted(async () => {
      await chat.press(question, '✅ Ya', /di-reboot 5 detik lagi/);
      const now = await chat.next(0, /Reboot sekarang/);
      assert.equal(now.id, question.id);
      last = now.text;
    });
    assert.match(last, /Begitu laptop nyala lagi, aku kabari/);
    const started = await booted();
    assert.notEqual(started, before);
    await potion.reopen();
    chat = new Chat(potion.telegram);
    await potion.start();
    const back = await chat.next(0, /Aku kembali/);
    assert.match(back.text, /laptop sudah nyala lagi setelah reboot yang diminta \d+ \(\d+ (detik|menit)/);
    await sleep(7000);
    assert.equal(await booted(), started, 'and stays up');
    assert.equal((await chat.log(0)).filter(({ text }) => /Aku kembali/.test(text)).length, 1);
    assert.ok(!(await chat.log(0)).some(({ text }) => /Belum tentu jadi|mendadak/.test(text)));
    await potion.kill();
    await potion.start();
    await sleep(2500);
    assert.equal((await chat.log(0)).filter(({ text }) => /Aku kembali/.test(text)).length, 1);
  });

  it('switches off, and tells when somebody has switched it on again that it was wanted', async () => {
    await potion.change('er-shutdown-go', { seconds: 5 });
    await potion.kill();
    await potion.start();
    const question = await chat.ask('/poweroff', /Yakin/);
    const going = await chat.press(question, '✅ Ya', /dimatikan 5 detik lagi/);
    const now = await chat.next(going.next, /Mati sekarang/);
    assert.match(now.text, /laptop baru nyala lagi kalau ada yang menekan tombol power/);
    // A shutdown waits for what was started from outside.
    potion.close();
    await until(async () => ((await isOff()) ? true : undefined), 60_000);
    await machine.powerCut();
    await machine.boot();
    await potion.reopen();
    chat = new Chat(potion.telegram);
    await potion.start();
    const back = await chat.next(0, /Aku kembali/);
    assert.match(back.text, /laptop sudah nyala lagi setelah shutdown yang diminta/);
  });
});

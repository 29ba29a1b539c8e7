import assert from 'node:assert/strict';
import { polkitRules } from '../../ops/install/polkit.mjs';
import { needs } from '../support/needs.ts';
import { Chat } from './chat.ts';
import { until } from './driver.ts';
import { type Installed, layOut } from './installed.ts';
import { bootMachine, type Machine } from './machine.ts';

const SLEEP = '[Unit]\nDescription=A web server\n[Service]\nExecStart=/bin/sleep infinity\n';
const UNITS = {
  'web.service': SLEEP,
  'queue.service': SLEEP,
  'broken.service': '[Service]\nExecStart=/bin/sh -c "echo I can not go on; exit 3"\n',
};
const WHITELIST = ['web', 'queue', 'broken'];

describe('Kontrol: services and processes, on a booted machine', function () {
  this.timeout(120_000);
  let machine: Machine;
  let potion: Installed;
  let chat: Chat;

  before(async function () {
    needs(this, 'root', 'systemd-nspawn');
    machine = await bootMachine({
      units: UNITS,
      start: ['web.service', 'systemd-logind.service'],
      files: { '/etc/polkit-1/rules.d/50-potion.rules': polkitRules(WHITELIST) },
    });
    potion = await layOut(machine, {
      env: { SERVICES_WHITELIST: WHITELIST.join(' ') },
      // No self-healing here: what a person starts and stops is what is looked at.
      changes: { 'cp-services': { units: 'away' } },
    });
    await potion.start();
    chat = new Chat(potion.telegram);
  });

  after(async () => {
    potion?.close();
    await machine?.stop();
  });

  const audit = () => machine.run(['cat', '/var/log/potion/actions.log']);
  const mainPid = async (unit: string) =>
    Number(await machine.run(['systemctl', 'show', '-P', 'MainPID', unit]));
  const alive = async (pid: number) => (await machine.exec(['test', '-d', `/proc/${pid}`])).code === 0;
  const cmdline = async (pid: number) => (await machine.exec(['cat', `/proc/${pid}/cmdline`])).stdout;
  /** Starts a program that outlives the test; its process id. */
  const start = async (program: string, args: string[], user: string) =>
    Number(
      await machine.run(
        ['sh', '-c', 'setsid "$@" </dev/null >/dev/null 2>&1 & echo $!', 'sh', program, ...args],
        {
          user,
        },
      ),
    );
  const stateOf = async (unit: string) =>
    (await machine.exec(['systemctl', 'is-active', unit])).stdout.trim();

  it('shows all services behind its button, each of them a button', async () => {
    const list = await chat.ask('🧰 Kontrol', /Service/);
    assert.match(list.text, /🟢 web — jalan/);
    assert.match(list.text, /⚪ queue — berhenti/);
    assert.deepEqual(list.buttons.slice(0, 2), [['🟢 web', '⚪ queue'], ['⚪ broken']]);
    const panel = await chat.press(list, '🟢 web');
    assert.equal(panel.id, list.id, 'in the same message');
    assert.match(panel.text, /🟢 web\.service: jalan\nA web server\n🕒 sejak .*\(\d+ (detik|menit)/);
    assert.deepEqual(panel.buttons, [['⏹️ Stop', '🔁 Restart'], ['📜 Log', '🔄 Segarkan'], ['⬅️ Kontrol']]);
    const back = await chat.press(panel, '⬅️ Kontrol');
    assert.equal(back.id, list.id);
    assert.equal(back.text, list.text);
  });

  it('restarts a service in the message of its panel, after a yes', async () => {
    const before = await mainPid('web');
    const panel = await chat.ask('/svc web', /web\.service: jalan/);
    const question = await chat.press(panel, '🔁 Restart', /Yakin mau restart web/);
    assert.equal(question.id, panel.id);
    assert.equal(await mainPid('web'), before, 'nothing happens before the yes');
    const done = await chat.press(question, '✅ Ya');
    assert.equal(done.id, panel.id);
    assert.match(done.text, /🔁 web\.service sudah di-restart \(jalan\)/);
    assert.deepEqual(done.buttons, panel.buttons);
    assert.notEqual(await mainPid('web'), before);
  });

  it('leads back to the panel after a no', async () => {
    const panel = await chat.ask('/services web', /web\.service: jalan/);
    const question = await chat.press(panel, '⏹️ Stop', /Yakin mau stop web/);
    const no = await chat.press(question, '❌ Batal');
    assert.equal(no.id, panel.id);
    assert.match(no.text, /batal ❌ stop web\.service tidak aku lakukan/);
    assert.match((await chat.press(no, '⬅️ Kembali')).text, /web\.service: jalan/);
    assert.equal(await stateOf('web'), 'active');
  });

  it('stops and starts a service, and offers what fits its state', async () => {
    const question = await chat.ask('/svc start queue', /Yakin mau start queue/);
    const started = await chat.press(question, '✅ Ya');
    assert.match(started.text, /▶️ queue\.service sudah hidup/);
    const again = await chat.press(started, '⏹️ Stop', /Yakin/);
    const stopped = await chat.press(again, '✅ Ya');
    assert.match(stopped.text, /⏹️ queue\.service sudah berhenti/);
    assert.deepEqual(stopped.buttons[0], ['▶️ Start']);
    assert.equal(await stateOf('queue'), 'inactive');
  });

  it('shows what a failed service said last, also when its start was asked for here', async () => {
    const question = await chat.ask('/svc start broken', /Yakin mau start broken/);
    const failed = await chat.press(question, '✅ Ya');
    assert.equal(failed.id, question.id);
    assert.match(failed.text, /❌ Ada error: broken\.service .*\n👉/);
    assert.match(failed.text, /🔴 broken\.service: gagal/);
    assert.match(failed.text, /⚠️ keluar dengan kode 3/);
    assert.match(failed.text, /📜 Log terakhir\n[\s\S]*I can not go on/);
    assert.deepEqual(failed.buttons[0], ['▶️ Start']);
    assert.match(await audit(), /event=result action=svc .*result=FAILED/);
    assert.match((await chat.ask('/services', /Service/)).text, /1 gagal[\s\S]*🔴 broken — gagal/);
  });

  it('shows the log of a service that is well only when asked', async () => {
    const panel = await chat.ask('/services web', /web\.service: jalan/);
    assert.doesNotMatch(panel.text, /Log terakhir/);
    const log = await chat.press(panel, '📜 Log');
    assert.match(log.text, /📜 Log terakhir\n[\s\S]*Started web\.service/);
  });

  for (const [line, answer] of [
    ['/svc restart', /unit belum disebut[\s\S]*\/svc <start\|stop\|restart> <unit>/],
    ['/svc restrat web', /"restrat" tidak ada di pilihan action: start, stop, restart/],
    ['/svc restart ssh', /ssh tidak ada di daftar layanan/],
    ['/svc stop web now', /"now" kelebihan/],
    ['/svc --help', /tidak ada di daftar layanan/],
    ['/services 0', /(angka bulat|daftar layanan)/],
    ['/services ssh', /ssh tidak ada di daftar layanan/],
    ['/services web all', /lines harus angka bulat/],
    ['/top ram 0', /page harus angka bulat/],
    ['/top fast', /"fast" tidak ada di pilihan by: cpu, ram/],
    ['/process', /pid belum disebut/],
    ['/process x', /pid harus angka bulat/],
    ['/process 4000000', /proses 4000000 sudah tidak ada/],
    ['/kill', /pid belum disebut/],
    ['/kill -9', /pid harus angka bulat/],
    ['/kill web', /pid harus angka bulat/],
    ['/kill 4000000', /proses 4000000 sudah tidak ada/],
    ['/kill 99999999999', /pid harus angka bulat/],
    ['/kill 1', /PID 1 adalah systemd/],
  ] as const)
    it(`answers ${line} clearly`, async () => {
      assert.match((await chat.ask(line)).text, answer);
    });

  it('takes the page after the last one for the last one', async () => {
    assert.match((await chat.ask('/svc_list 99', /Service/)).text, /web/);
    for (const seconds of ['98701', '98702', '98703']) await start('sleep', [seconds], 'potion');
    assert.match((await chat.ask('/procs 999', /Proses/)).text, /hal\. (\d+)\/\1/);
  });

  it('lists processes by CPU and by memory, page by page, with a button for each', async () => {
    await start('sh', ['-c', 'while :; do :; done'], 'potion');
    const top = await chat.ask('/top', /Proses/);
    assert.match(top.text, /paling sibuk \(\d+ proses/);
    assert.match(top.text.split('\n')[1] ?? '', /^1\. sh \d+ · \d+% · [\d.,]+\s[KMG]B$/);
    assert.deepEqual(top.buttons[0], ['1', '2', '3', '4']);
    const next = await chat.press(top, '2 ➡️');
    assert.equal(next.id, top.id);
    assert.match(next.text, /hal\. 2\//);
    const ram = await chat.press(next, '🧠 Urut RAM');
    assert.match(ram.text, /paling banyak RAM/);
    const memory = [...ram.text.matchAll(/· ([\d.,]+)\s([KMG])B/g)].map(
      ([, number = '', unit = '']) => Number(number.replace(',', '.')) * 1024 ** ' KMG'.indexOf(unit),
    );
    assert.ok(memory.length > 3);
    assert.deepEqual(
      memory,
      memory.toSorted((a, b) => b - a),
    );
    const one = await chat.press(ram, '1');
    assert.match(one.text, /🔎 .* · PID \d+/);
    assert.match((await chat.press(one, '⬅️ Proses')).text, /Proses/);
    await machine.exec(['pkill', '-KILL', '-f', 'while :']);
  });

  it('ends a process after a question, once', async () => {
    const pid = await start('sleep', ['98761'], 'potion');
    const panel = await chat.ask(`/process ${pid}`, /🔎/);
    assert.match(panel.text, /🔎 sleep · PID \d+\n👤 potion · menunggu/);
    assert.match(panel.text, /sleep 98761/);
    const question = await chat.press(panel, '⛔ Hentikan', /Yakin/);
    assert.match(question.text, new RegExp(`hentikan sleep \\(PID ${pid}, milik potion\\)`));
    assert.ok(await alive(pid), 'nothing happens before the yes');
    const done = await chat.press(question, '✅ Ya');
    assert.equal(done.id, panel.id);
    assert.match(done.text, new RegExp(`⛔ sleep \\(PID ${pid}\\) sudah berhenti`));
    assert.ok(!(await alive(pid)));
    await potion.telegram.ask('redeliver');
    assert.deepEqual(await chat.quiet(), [], 'the same update once more does nothing');
  });

  it('offers force to one that does not listen, and uses it only after a second yes', async () => {
    const pid = await start('sh', ['-c', 'trap "" TERM; exec sleep 98762'], 'potion');
    await until(async () => ((await cmdline(pid)).includes('sleep') ? true : undefined));
    const question = await chat.ask(`/kill ${pid}`, /Yakin mau hentikan sleep/);
    const second = await chat.press(question, '✅ Ya', /Yakin mau paksa matikan sleep/);
    assert.equal(second.id, question.id);
    assert.ok(await alive(pid));
    const done = await chat.press(second, '✅ Ya');
    assert.match(done.text, /💥 sleep .* sudah dimatikan paksa/);
    assert.ok(!(await alive(pid)));
  });

  it('lets a stubborn process be after a no', async () => {
    const pid = await start('sh', ['-c', 'trap "" TERM; exec sleep 98763'], 'potion');
    await until(async () => ((await cmdline(pid)).includes('sleep') ? true : undefined));
    const question = await chat.ask(`/kill ${pid}`, /Yakin mau hentikan sleep/);
    const second = await chat.press(question, '✅ Ya', /Yakin mau paksa matikan sleep/);
    const no = await chat.press(second, '❌ Batal');
    assert.match(no.text, /tidak aku lakukan/);
    assert.ok(await alive(pid));
    await machine.run(['kill', '-KILL', String(pid)]);
  });

  it('never takes another process of the same number for the one that was shown', async () => {
    const pid = await start('sleep', ['98764'], 'potion');
    const other = await chat.ask(`/kill ${pid} 1`);
    assert.match(other.text, new RegExp(`PID ${pid} sekarang milik proses lain \\(sleep\\)`));
    const panel = await chat.ask(`/process ${pid}`, /🔎/);
    await machine.run(['kill', String(pid)]);
    await until(async () => ((await alive(pid)) ? undefined : true));
    assert.match((await chat.press(panel, '⛔ Hentikan')).text, /sudah tidak ada/);
  });

  it('refuses to end itself', async () => {
    const own = Number(await machine.run(['systemctl', 'show', '-P', 'MainPID', 'potion']));
    assert.match((await chat.ask(`/kill ${own}`)).text, /adalah aku sendiri/);
    // A thread of it answers to a number of its own, and a signal to that would end it all the same.
    const threads = (await machine.run(['ls', `/proc/${own}/task`])).split('\n').map(Number);
    const thread = threads.find((id) => id !== own);
    assert.match((await chat.ask(`/kill ${thread}`)).text, /sudah tidak ada/);
    assert.equal(Number(await machine.run(['systemctl', 'show', '-P', 'MainPID', 'potion'])), own);
  });

  it("ends a person's process through the helper, after the same question", async () => {
    await machine.run(['useradd', '--uid', '1234', 'dre']);
    machine.spawn([
      ...['systemd-run', '--quiet', '--scope', '--slice=user-1234.slice', '--unit=session-t1.scope'],
      ...['setpriv', '--reuid', '1234', '--clear-groups', 'sleep', '98766'],
    ]);
    const pid = await until(async () => {
      const { stdout } = await machine.exec(['pgrep', '-x', '-u', '1234', 'sleep']);
      return Number(stdout) || undefined;
    });
    const question = await chat.ask(`/kill ${pid}`, /Yakin mau hentikan sleep .*milik dre/);
    assert.ok(await alive(pid));
    const done = await chat.press(question, '✅ Ya');
    assert.match(done.text, /⛔ sleep .* sudah berhenti/);
    assert.ok(!(await alive(pid)));
  });

  it("says what to do about another user's process", async () => {
    const pid = await start('sleep', ['98765'], 'root');
    const denied = await chat.ask(`/kill ${pid}`);
    assert.match(denied.text, /milik root.*\n👉 .*sudo kill \d+/);
    assert.ok(await alive(pid));
    await machine.run(['kill', String(pid)]);
  });

  it('offers to restart the service that a process belongs to', async () => {
    const pid = await mainPid('web');
    const instead = await chat.ask(`/kill ${pid}`, /bagian dari web/);
    const question = await chat.press(instead, '🔁 Restart web', /Yakin mau restart web/);
    const done = await chat.press(question, '✅ Ya');
    assert.equal(done.id, instead.id);
    assert.match(done.text, /web\.service sudah di-restart/);
    assert.notEqual(await mainPid('web'), pid);
  });
});

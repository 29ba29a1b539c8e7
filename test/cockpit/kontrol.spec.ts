import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readProcess } from '../../nodes/host/process-table.js';
import { refusal, reply, type ScriptedBus, startBus } from '../support/scripted-bus.ts';
import { type LocalCockpit, startCockpit } from './cockpit.ts';

// Without a systemd: what needs one is transcribed in test/machine/kontrol.spec.ts and kontrol-power.spec.ts.
describe('Kontrol: processes and power, said and pressed', function () {
  this.timeout(60_000);
  let local: LocalCockpit;
  let bus: ScriptedBus;
  const asked: string[] = [];
  const pids: number[] = [];

  before(async () => {
    bus = await startBus({
      onCall: (to, serial, member) => {
        if (member === 'Reboot' || member === 'PowerOff') asked.push(member);
        if (member.startsWith('Can')) to.write(reply(serial, 'yes'));
        else if (member === 'ListInhibitors') to.write(refusal(serial, 'x.y.No', 'no'));
        else to.write(reply(serial, ''));
      },
    });
    local = await startCockpit({
      env: { DBUS_SYSTEM_BUS_ADDRESS: bus.address, SERVER_NAME: 'laptop' },
      changes: { 'er-reboot-go': { seconds: 5 }, 'er-term': { wait: 1 } },
    });
  });
  after(async () => {
    await local?.stop();
    await bus?.stop();
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended, as it was meant to.
      }
    }
  });

  /** A process that Potion has not started; its id. */
  const start = (script: string) => {
    const said = spawnSync('sh', ['-c', `setsid ${script} </dev/null >/dev/null 2>&1 & echo $!`]);
    const pid = Number(String(said.stdout).trim());
    pids.push(pid);
    return pid;
  };
  // In some containers nobody collects those that have ended.
  const alive = (pid: number) => !['Z', undefined].includes(readProcess(pid)?.state);

  it('/top, /process and /kill, to the end of a process', async () => {
    const { cockpit } = local;
    const pid = start('sleep 95111');
    const top = await cockpit.ask('/top ram');
    assert.match(top.text, /📈 Proses · paling banyak RAM/);
    const one = await cockpit.press(top, '1');
    assert.equal(one.id, top.id);
    // On a busy machine it may have ended meanwhile.
    assert.match(one.text, /🔎|sudah tidak ada/);
    const own = await cockpit.ask(`/process ${pid}`);
    assert.match(own.text, /sleep 95111/);
    const question = await cockpit.press(own, '⛔ Hentikan');
    assert.match(question.text, new RegExp(`Yakin mau hentikan sleep \\(PID ${pid}`));
    assert.ok(alive(pid));
    const done = await cockpit.press(question, '✅ Ya');
    assert.equal(done.id, own.id);
    assert.match(done.text, /⛔ sleep \(PID \d+\) sudah berhenti/);
    assert.deepEqual(done.buttons, [['📈 Proses']]);
    const lines = (await cockpit.audit()).filter((line) => line.includes('action=kill'));
    assert.deepEqual(
      lines.map((line) => /event=(\w+)/.exec(line)?.[1]),
      ['request', 'confirm', 'confirm', 'result'],
    );
  });

  it('a stubborn process is ended by force only after a second yes', async () => {
    const { cockpit } = local;
    const pid = start(`sh -c 'trap "" TERM; exec sleep 95112'`);
    const question = await cockpit.ask(`/kill ${pid}`);
    const second = await cockpit.press(question, '✅ Ya');
    assert.match(second.text, /Yakin mau paksa matikan/);
    assert.ok(alive(pid));
    const done = await cockpit.press(second, '✅ Ya');
    assert.match(done.text, /💥 .* sudah dimatikan paksa/);
    assert.ok(!alive(pid));
  });

  it('a question in the chat ends nothing a second time, nor for a stranger', async () => {
    const { cockpit, sandbox } = local;
    const pid = start('sleep 95113');
    const question = await cockpit.ask(`/kill ${pid}`);
    sandbox.redeliver();
    await local.cockpit.as(666).sendsInVain(`/kill ${pid}`);
    assert.ok(alive(pid));
    const no = await cockpit.press(question, '❌ Batal');
    assert.deepEqual(no.buttons, [['⬅️ Kembali']]);
    assert.match((await cockpit.press(no, '⬅️ Kembali')).text, /sleep 95113/);
    await cockpit.ask('YA');
    assert.ok(alive(pid));
  });

  for (const [line, answer] of [
    ['/kill', /pid belum disebut[\s\S]*\/kill <pid> \[start\]/],
    ['/kill 0', /pid harus angka bulat dari 1/],
    ['/kill 1', /PID 1 adalah systemd/],
    ['/kill 4194305', /pid harus angka bulat/],
    ['/kill 5 x', /start harus angka bulat/],
    ['/kill --all', /pid harus angka bulat/],
    ['/process 5 6 7', /"7" kelebihan/],
    ['/top -1', /tidak ada di pilihan by: cpu, ram/],
    ['/top cpu 1 2', /"2" kelebihan/],
    ['/reboot now', /kelebihan/],
    ['/shutdown 5', /kelebihan/],
    ['/cancel it', /kelebihan/],
    ['/svc stop', /unit belum disebut/],
    ['/svc nginx', /nginx tidak ada di daftar layanan/],
    ['/services nginx', /nginx tidak ada di daftar layanan/],
  ] as const)
    it(`${line} is answered clearly`, async () => {
      assert.match((await local.cockpit.ask(line)).text, answer);
    });

  it('/reboot counts down in the message of its question, and /cancel ends it', async () => {
    const { cockpit } = local;
    assert.match((await cockpit.ask('/cancel')).text, /Tidak ada hitung mundur/);
    const question = await cockpit.ask('/reboot');
    assert.match(question.text, /Yakin mau reboot server/);
    // Its own answer comes only in the end.
    local.sandbox.press(question.id, '✅ Ya');
    const counting = await cockpit.hears(/laptop di-reboot \d detik lagi/);
    assert.deepEqual([counting.id, counting.buttons], [question.id, [['✋ Batal']]]);
    const cancelled = await cockpit.press(counting, '✋ Batal');
    assert.match(cancelled.text, /reboot batal/);
    assert.equal(cancelled.id, question.id);
    const history = await cockpit.history(question);
    assert.ok(
      !history.some((text) => /Sabar sebentar/.test(text)),
      'who sees a countdown needs no PROCESSING',
    );
    assert.deepEqual(asked, []);
  });

  it('/reboot happens once, and neither Potion’s restart nor the same update brings it back', async () => {
    const { cockpit, sandbox } = local;
    const question = await cockpit.ask('/reboot');
    const done = await cockpit.press(question, '✅ Ya');
    assert.match(done.text, /🔄 Reboot sekarang/);
    assert.equal(done.id, question.id);
    while (asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    await local.restart();
    sandbox.redeliver();
    await cockpit.hears(/Reboot batal, karena aku sendiri sempat berhenti/);
    await new Promise((resolve) => setTimeout(resolve, 6000));
    assert.deepEqual(asked, ['Reboot']);
  });
});

import assert from 'node:assert/strict';
import { type Cockpit, machineCockpit } from '../cockpit/cockpit.ts';
import { needs } from '../support/needs.ts';
import { until } from './driver.ts';
import { type Installed, layOut } from './installed.ts';
import { bootMachine, type Machine } from './machine.ts';

const unit = (script: string) =>
  `[Service]\nSyslogIdentifier=%p\nExecStart=/bin/sh ${script}\nExecStartPost=/bin/sleep 0.2\n`;

/** What no log should hold, and all do. */
const ODD = String.raw`
printf 'plain\n'
printf 'bytes \377\376 end\n'
printf '\033[31mred\033[0m\n'
printf '<b>bold</b> & "quoted"\n'
printf 'nul \000 tab\tend\n'
printf 'turned \342\200\256gnol\n'
printf '<3>disaster\n<4>careful\n'
printf 'long %s\n' "$(printf 'x%.0s' $(seq 1 3000))"
printf 'huge %s\n' "$(printf 'y%.0s' $(seq 1 9000))"
printf 'token 1234567:AAFakeFakeFakeFakeFakeFakeFakeFakeFake\n'
exec sleep infinity
`;
const MANY = 'for n in $(seq 0 299); do echo "row $n."; done; exec sleep infinity\n';
const TICKS = 'n=0; while :; do n=$((n+1)); echo "tick $n."; sleep 0.3; done\n';

describe('📜 Logs and 🌐 Network on a machine with systemd', function () {
  this.timeout(180_000);
  let machine: Machine;
  let installed: Installed;
  let cockpit: Cockpit;

  before(async function () {
    needs(this, 'root', 'systemd-nspawn', 'ping');
    machine = await bootMachine({
      units: {
        'odd.service': unit('/opt/odd.sh'),
        'many.service': unit('/opt/many.sh'),
        'ticks.service': unit('/opt/ticks.sh'),
        'web@1.service': unit('/opt/many.sh'),
      },
      files: { '/opt/odd.sh': ODD, '/opt/many.sh': MANY, '/opt/ticks.sh': TICKS },
      start: ['odd.service', 'many.service'],
    });
    installed = await layOut(machine, { env: { SERVICES_WHITELIST: 'odd many ticks web@1' } });
    await installed.start();
    cockpit = await machineCockpit(installed);
  });
  after(async () => {
    installed?.close();
    await machine?.stop();
  });

  const ask = (text: string, ms?: number) => cockpit.ask(text, ms);

  it('shows what a unit has logged, however odd', async () => {
    const { text } = await ask('/log_journal odd 20');
    for (const line of [
      / odd: plain$/m,
      / odd: bytes �� end$/m,
      / odd: red$/m,
      / odd: <b>bold<\/b> & "quoted"$/m,
      / odd: tab end$/m,
      / odd: turned {1,2}gnol$/m,
      / 🔴 odd: disaster$/m,
      / 🟡 odd: careful$/m,
      / odd: long x{390,395}…$/m,
      / \[…\]$/m,
      / odd: token <token>$/m,
    ])
      assert.match(text, line);
  });

  it('pages back through a journal that is rotated in between', async () => {
    const newest = await ask('/logs many');
    assert.match(newest.text, /50 baris terakhir[\s\S]*row 299\./);
    const first = Number(/row (\d+)\./.exec(newest.text)?.[1]);
    await machine.run(['journalctl', '--rotate']);
    await machine.run(['systemctl', 'restart', 'many']);
    const older = await cockpit.press(newest, 'Lebih lama');
    const rows = [...older.text.matchAll(/row (\d+)\./g)].map(([, n]) => Number(n));
    assert.deepEqual(
      rows,
      Array.from({ length: rows.length }, (_, n) => first - rows.length + n),
    );
    assert.ok(rows.length >= 49, older.text);
  });

  it('finds by text, expression and time', async () => {
    assert.match((await ask('/log_search many "row 42."')).text, /2 baris dengan row 42\./);
    assert.match((await ask('/log_search many /row 4[2-4]\\.$/')).text, /6 baris/);
    assert.match((await ask('/log_search many row')).text, /50 baris terbaru[\s\S]*row 299\.$/);
    assert.match((await ask('/log_search many row until=1d')).text, /tidak ada row di sana/);
    assert.match(
      (await ask('/log_search odd /^.*huge y+$/')).text,
      /tidak ada/,
      'journalctl leaves that one out',
    );
  });

  it('sends a journal as a file, with every line', async () => {
    const { file, text } = await ask('/log_file many');
    const lines = await machine.run(['journalctl', '--unit=many.service', '--output=cat', '--no-pager']);
    assert.equal(file?.text.trimEnd().split('\n').length, lines.split('\n').length);
    assert.match(file?.name ?? '', /^many-\d{12}\.log$/);
    assert.match(text, new RegExp(`${lines.split('\n').length} baris sejak`));
    const rows = [...(file?.text.matchAll(/row (\d+)\./g) ?? [])].map(([, n]) => Number(n));
    assert.deepEqual(
      rows.slice(0, 300),
      Array.from({ length: 300 }, (_, n) => n),
    );
  });

  it('follows a journal in one message, and leaves no journalctl behind', async () => {
    await machine.run(['systemctl', 'start', 'ticks']);
    const answer = await ask('/log_follow ticks 7', 30_000);
    assert.match(answer.text, /^⏹️ ticks · live selesai\n[\s\S]*tick \d+\.$/);
    const history = await cockpit.history(answer);
    const shown = history.map((text) => Number(/tick (\d+)\.$/.exec(text)?.[1] ?? 0));
    assert.ok(history.length >= 3 && history.length <= 5, `${history.length} texts`);
    assert.deepEqual(
      shown,
      shown.toSorted((a, b) => a - b),
    );
    assert.ok((shown.at(-1) ?? 0) - (shown[0] ?? 0) >= 10, `${shown}`);
    await until(async () =>
      (await machine.exec(['pgrep', '-f', 'journalctl.*--follow'])).stdout.trim() === '' ? true : undefined,
    );
    await machine.run(['systemctl', 'stop', 'ticks']);
  });

  it('shows its own journal, an instance’s, and the kernel’s, but no other’s', async () => {
    assert.match((await ask('/log_journal potion 30')).text, /potion|Started|node/);
    assert.match((await ask('/logs web@1')).text, /web@1: tidak ada baris/);
    assert.match((await ask('/logs kernel')).text, /^📜 kernel/);
    for (const other of ['dbus', 'systemd-journald', '*', 'many*', '--all', '-b'])
      assert.match(
        (await ask(`/log_journal ${other}`)).text,
        /tidak boleh aku buka|tidak punya log bernama/,
        other,
      );
  });

  it('says so when it may not read the journal', async () => {
    const script =
      'for group in adm systemd-journal; do gpasswd -d potion $group; done; systemctl restart potion';
    await machine.run(['sh', '-c', script], { timeout: 60_000 });
    await installed.untilHealthy();
    assert.match(
      (await ask('/logs many')).text,
      /aku tidak boleh membaca journal\n👉 .*usermod -aG systemd-journal/,
    );
    await machine.run(['usermod', '-aG', 'adm,systemd-journal', 'potion']);
  });

  it('says what to do where pings are not allowed', async () => {
    await machine.run(['sysctl', '-qw', 'net.ipv4.ping_group_range=1 0']);
    const { text } = await ask('/ping 127.0.0.1');
    assert.match(text, /Potion tidak boleh mengirim ping di sini: \S+: ./);
    assert.match(text, /👉 .*ping_group_range = 0 2147483647/);
  });

  it('pings as the service’s own user, in its sandbox, without any right', async () => {
    await machine.run(['sysctl', '-qw', 'net.ipv4.ping_group_range=0 2147483647']);
    const { pid } = await installed.facts();
    const status = await machine.run(['cat', `/proc/${pid}/status`]);
    assert.match(status, /NoNewPrivs:\t1[\s\S]*/);
    assert.match(status, /CapBnd:\t0000000000000000/);
    for (const host of ['127.0.0.1', '::1'])
      assert.match(
        (await ask(`/ping ${host}`)).text,
        /🟢 \S+: [\d,]+ ms\n {3}4 dari 4 kembali \(0% hilang\)/,
      );
    assert.match(
      (await ask('/ping')).text,
      /🔴 gateway: tidak ada default route[\s\S]*🔴 1\.1\.1\.1: tidak ada jalan/,
    );
    assert.match((await ask('/ip')).text, /Tidak ada jaringan yang tersambung[\s\S]*Tidak ada default route/);
  });
});

import assert from 'node:assert/strict';
import { appendFileSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FAKE_TOKEN } from '../support/potion.ts';
import { type LocalCockpit, startCockpit } from './cockpit.ts';

/** A line of runtime.log as of an hour ago. */
const entry = (words: string, level = 'info', at = Date.now() - 3_600_000) => {
  const local = new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString();
  return `${local.slice(0, 10)} ${local.slice(11, 23)} ${level} ${words}\n`;
};

describe('📜 Logs', function () {
  this.timeout(60_000);
  let potion: LocalCockpit;
  let logs: string;

  before(async () => {
    potion = await startCockpit({ env: { SERVICES_WHITELIST: 'nginx' } });
    logs = join(potion.potion.dataDir, 'logs');
    // The last that Potion logs of itself after a start; from then on the tail is what a test adds.
    for (let left = 300; left > 0; left--) {
      if (/commands now \(en\)/.test(readFileSync(join(logs, 'runtime.log'), 'utf8'))) return;
      await sleep(50);
    }
    throw new Error('the list of commands was not told');
  });
  after(() => potion?.stop());

  const add = (...lines: (string | Buffer)[]) => {
    for (const line of lines) appendFileSync(join(logs, 'runtime.log'), line);
  };
  const ask = (text: string) => potion.cockpit.ask(text);

  it('begins with a menu, which leads to a log and back in one message', async () => {
    const menu = await ask('📜 Logs');
    assert.deepEqual(menu.buttons, [['📄 Runtime', '🧾 Aksi'], ['🐧 Kernel'], ['🧩 nginx', '🧩 potion']]);
    const runtime = await potion.cockpit.press(menu, 'Runtime');
    assert.equal(runtime.id, menu.id);
    assert.match(runtime.text, /^📜 runtime\.log · \d+ baris terakhir\n[\s\S]*Started flows/);
    const back = await potion.cockpit.press(runtime, 'Logs lain');
    assert.equal(back.text, menu.text);
    const actions = await potion.cockpit.press(back, 'Aksi');
    assert.match(actions.text, /user=\d+ event=request action=logs/);
  });

  it('shows the last lines, coloured where it matters', async () => {
    add(entry('one'), entry('two', 'warn'), entry('three', 'error'), '    at somewhere\n');
    const { text } = await ask('/log_runtime 4');
    assert.match(
      text,
      /4 baris terakhir\n(── [\d-]+ ──\n)?\d\d:\d\d:\d\d one\n.* 🟡 two\n.* 🔴 three\n {4}at somewhere$/,
    );
    assert.match((await ask('/logs runtime')).text, /three/);
  });

  it('pages back through the log, across a rotation', async () => {
    add(...Array.from({ length: 120 }, (_, n) => entry(`row ${n}.`)));
    const newest = await ask('/logs runtime');
    assert.match(newest.text, /50 baris terakhir[\s\S]*row 70\.[\s\S]*row 119\.$/);
    renameSync(join(logs, 'runtime.log'), join(logs, 'runtime.log.1'));
    writeFileSync(join(logs, 'runtime.log'), entry('after the rotation'));
    const older = await potion.cockpit.press(newest, 'Lebih lama');
    assert.equal(older.id, newest.id);
    assert.match(older.text, /50 baris sebelumnya\n(──.*\n)?\S+ row 20\.[\s\S]*row 69\.$/);
    const oldest = await potion.cockpit.press(older, 'Lebih lama');
    assert.match(oldest.text, /row 0\.[\s\S]*row 19\.$/);
    assert.match((await potion.cockpit.press(oldest, 'Terbaru')).text, /row 119\.\n.*after the rotation$/);
  });

  it('finds texts and expressions, in a span of time', async () => {
    const minutesAgo = (minutes: number) => Date.now() - minutes * 60_000;
    add(
      entry('Disk FULL', 'error', minutesAgo(50)),
      entry('disk half full', 'info', minutesAgo(20)),
      entry('disk empty', 'info', minutesAgo(1)),
    );
    assert.match(
      (await ask('/log_search runtime disk')).text,
      /3 baris dengan disk\n[\s\S]*Disk FULL[\s\S]*disk empty$/,
    );
    assert.match((await ask('/log_search runtime full')).text, /2 baris dengan full/);
    assert.match((await ask('/log_search runtime "half full"')).text, /1 baris dengan half full/);
    assert.match((await ask('/log_search runtime /FULL$/')).text, /1 baris/);
    assert.match(
      (await ask('/log_search runtime /d.sk (full|empty)/i since=30m')).text,
      /1 baris[\s\S]*disk empty/,
    );
    assert.match((await ask('/log_search runtime disk since=30m until=10m')).text, /1 baris[\s\S]*half full/);
    assert.match((await ask('/log_search runtime nosuchword')).text, /tidak ada nosuchword di sana\.$/);
    assert.match((await ask('/log_runtime 10 30m..10m')).text, /1 baris terakhir[\s\S]*half full/);
    const pressed = await potion.cockpit.press(await ask('/logs runtime'), 'Cari "error"');
    assert.match(pressed.text, /dengan error/);
  });

  it('makes hostile lines harmless', async () => {
    add(
      entry('<b>bold</b> &amp; <a href="x">y</a> </pre>'),
      entry('\u001b[31mred\u001b[0m \u202egnol'),
      Buffer.concat([Buffer.from(entry('bytes ').trimEnd()), Buffer.from([0xff, 0xfe, 0x00, 0x0a])]),
      entry(`long ${'x'.repeat(1_000_000)}`),
      entry(`token ${FAKE_TOKEN} and bot${encodeURIComponent(FAKE_TOKEN)}`),
    );
    const { text } = await ask('/log_runtime 5');
    assert.match(text, /<b>bold<\/b> &amp; <a href="x">y<\/a> <\/pre>\n/);
    assert.match(text, / red {2}gnol\n/);
    assert.match(text, /bytes��\n/);
    assert.match(text, /long x{395}…\n/);
    assert.match(text, /token <token> and bot<token>$/);
    const { file } = await ask('/log_file runtime');
    for (const harm of ['AAFake', '\u001b', '\u202e']) assert.ok(!file?.text.includes(harm));
  });

  it('sends what is long as a file', async () => {
    add(
      ...Array.from({ length: 300 }, (_, n) =>
        entry(`a longer line of the log, number ${n}, with words to fill it`),
      ),
    );
    const { text, file } = await ask('/log_runtime 300');
    assert.match(text, /300 baris\. Panjang/);
    assert.match(file?.name ?? '', /^runtime\.log-|^runtime-\d{12}\.log$/);
    assert.equal(file?.text.trimEnd().split('\n').length, 300);
    const some = await ask('/log_runtime 60');
    assert.equal(some.file, undefined);
    assert.match(some.text, /number 240,[\s\S]*number 299,/);
  });

  it('sends a span as a file, compressed when it is large', async () => {
    const { text, file } = await ask('/log_file actions 1h');
    assert.match(text, /^📎 actions\.log · \d+ baris sejak .*\sK?B$/);
    assert.match(file?.text ?? '', /^\S+ user=\d+ event=request action=logs result=accepted\n/);
    add(...Array.from({ length: 30 }, () => entry('y'.repeat(3000)).repeat(30)));
    const large = await ask('/log_file runtime');
    assert.match(large.file?.name ?? '', /\.log\.gz$/);
    assert.ok((large.file?.text.length ?? 0) < 1_000_000);
    assert.match(
      (await ask('/log_file runtime 2020-01-01..2020-01-02')).text,
      /tidak ada baris dari waktu itu/,
    );
  });

  it('shows a log live in one message, and ends by itself', async () => {
    add(entry('before'));
    const asked = ask('/log_follow runtime 5');
    const seen = await potion.cockpit.hears(/🔴 runtime\.log · live sampai \d\d:\d\d:\d\d/);
    add(entry('while it is watched'));
    const answer = await asked;
    assert.equal(answer.id, seen.id);
    assert.match(answer.text, /^⏹️ runtime\.log · live selesai\n[\s\S]*while it is watched$/);
    const history = await potion.cockpit.history(answer);
    assert.ok(history.length >= 3 && history.length <= 4, `${history.length} texts`);
    assert.ok(
      history.slice(0, -1).every((text) => text.startsWith('🔴')),
      'nothing else in between',
    );
  });

  it('stops it when asked to, and says so when it is over already', async () => {
    potion.sandbox.say('/log_follow runtime 300');
    const live = await potion.cockpit.hears(/🔴 runtime\.log/);
    const stopped = await potion.cockpit.press(live, 'Stop');
    assert.equal(stopped.id, live.id);
    assert.match(stopped.text, /live dihentikan/);
    assert.equal(stopped.buttons.flat().includes('⏹️ Stop'), false);
    assert.match((await ask('/log_stop nosuch')).text, /sudah selesai/);
  });

  it('has one live view for each chat', async () => {
    potion.sandbox.say('/log_follow runtime 300');
    const first = await potion.cockpit.hears(/🔴 runtime\.log/);
    potion.sandbox.say('/log_follow actions 300');
    const second = await potion.cockpit.hears(/🔴 actions\.log/);
    await potion.cockpit.hears(({ id, text }) => id === first.id && /pindah ke pesan baru/.test(text));
    await potion.cockpit.press(second, 'Stop');
  });

  it('goes on in the same message after Potion was killed, and then ends', async () => {
    potion.sandbox.say('/log_follow runtime 6');
    const live = await potion.cockpit.hears(/🔴 runtime\.log/);
    await potion.restart();
    const ended = await potion.cockpit.hears(
      ({ id, text }) => id === live.id && /live selesai/.test(text),
      20_000,
    );
    assert.match(ended.text, /Started flows/);
    const about = (await potion.cockpit.messages()).filter(({ text }) =>
      /runtime\.log · live sampai/.test(text),
    );
    assert.deepEqual(about, [], 'no view is left');
  });

  it('keeps no file behind that was small', () => {
    assert.deepEqual(
      readdirSync(potion.potion.dataDir).filter((name) => name === 'outgoing'),
      [],
    );
  });

  const wrong: [string, RegExp][] = [
    [
      '/logs nosuch',
      /tidak punya log bernama nosuch[\s\S]*Yang ada: runtime, actions, kernel, nginx\.service, potion\.service/,
    ],
    ['/logs ../../etc/passwd', /tidak punya log bernama/],
    ['/logs --since=x', /tidak punya log bernama/],
    ['/logs runtime extra', /"extra" kelebihan/],
    ['/log_runtime many', /lines harus angka bulat dari 1 sampai 2000/],
    ['/log_runtime 0', /dari 1 sampai 2000, bukan "0"/],
    ['/log_runtime 2001', /dari 1 sampai 2000/],
    ['/log_runtime 5 besok', /"besok" bukan waktu/],
    ['/log_journal', /service belum disebut/],
    ['/log_journal dbus', /journal dbus tidak boleh aku buka[\s\S]*nginx\.service, potion\.service/],
    ['/log_journal runtime', /journal runtime tidak boleh/],
    ['/log_journal --all', /tidak punya log bernama --all/],
    ['/log_journal nginx 5 x..y', /bukan waktu/],
    ['/log_search', /source belum disebut/],
    ['/log_search runtime', /what belum disebut/],
    ['/log_search runtime since=1h', /belum disebut apa yang dicari/],
    ['/log_search runtime x since=besok', /bukan waktu/],
    ['/log_search runtime /(/', /regex itu tidak bisa dipakai: missing closing/],
    ['/log_search runtime /(?=a)b/', /regex itu tidak bisa dipakai/],
    ['/log_file', /source belum disebut/],
    ['/log_file runtime 1h..2h', /bukan waktu/],
    ['/log_follow runtime 4', /seconds harus angka bulat dari 5 sampai 300/],
    ['/log_follow runtime 301', /dari 5 sampai 300/],
    ['/log_page runtime nonsense', /sudah dirotasi/],
    ['/log_stop', /id belum disebut/],
  ];
  for (const [line, answer] of wrong)
    it(`answers ${line} with what is wrong`, async () => {
      const { text } = await ask(line);
      assert.match(text, /^Kenapa ya\.\.\. ❌ Ada error: /);
      assert.match(text, answer);
    });
});

describe('📜 Logs, in English', function () {
  this.timeout(60_000);
  let potion: LocalCockpit;

  before(async () => {
    potion = await startCockpit({ env: { SERVICES_WHITELIST: 'nginx', POTION_LANG: 'en-US' } });
  });
  after(() => potion?.stop());

  const answers: [string, RegExp][] = [
    ['/logs', /Which one do you want to see/],
    ['/log_runtime 2', /^📜 runtime\.log · last 2 lines\n/],
    ['/log_search runtime started', /^🔎 runtime\.log · 1 line with started\n/],
    ['/log_search runtime nosuchword', /no nosuchword there\.$/],
    ['/log_file actions', /^📎 actions\.log · \d+ lines? since .*\sB$/],
    ['/log_follow actions 5', /^⏹️ actions\.log · live is over\n/],
    ['/logs nosuch', /I have no log named nosuch[\s\S]*There are: runtime, actions, kernel/],
    ['/log_runtime many', /lines has to be a whole number from 1 to 2000/],
    ['/log_runtime 5 besoknya', /"besoknya" is no time that I understand/],
    ['/log_journal dbus', /I may not open the journal of dbus/],
    ['/log_search runtime since=1h', /not said what to look for/],
    ['/log_search runtime /[/', /that regular expression can't be used: missing closing/],
    ['/log_follow runtime 9999', /from 5 to 300/],
    ['/log_stop x', /That live view is over/],
  ];
  for (const [line, answer] of answers)
    it(`answers ${line}`, async () => assert.match((await potion.cockpit.ask(line)).text, answer));
});

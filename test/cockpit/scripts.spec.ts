import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cockpit, type LocalCockpit, startCockpit } from './cockpit.ts';

const SLOW = `#!/bin/sh
echo one
sleep 8 &
wait
`;

describe('scripts, from the chat', function () {
  this.timeout(60_000);
  let potion: LocalCockpit;
  let cockpit: Cockpit;
  let home: string;
  let file: string;

  const list = () => `scripts:
  - name: hello
    description: { id: "Sapaan", en-US: "A greeting" }
    argv: [/bin/echo, hello]
    confirm: false
  - name: show
    description: { id: "Tunjukkan argumen", en-US: "Show the arguments" }
    argv: [/usr/bin/printf, "<%s>", "{{word}}", "{{count}}", $HOME, "; id"]
    args:
      - { name: word, type: word, pattern: "[^|]+" }
      - { name: count, type: int, min: 1, max: 9 }
  - name: count
    description: { id: "Hitung", en-US: "Count" }
    argv: [/usr/bin/wc, --lines, "{{file}}"]
    args: [{ name: file, type: path, root: ${join(home, 'files')} }]
    confirm: false
  - name: long
    description: { id: "Banyak", en-US: "A lot" }
    argv: [/usr/bin/seq, "3000"]
    confirm: false
  - name: fails
    description: { id: "Gagal", en-US: "Fails" }
    argv: [/bin/sh, ${join(home, 'fails.sh')}]
    confirm: false
  - name: slow
    description: { id: "Lama", en-US: "Slow" }
    argv: [${join(home, 'slow.sh')}]
    confirm: false
  - name: late
    description: { id: "Telat", en-US: "Late" }
    argv: [${join(home, 'slow.sh')}]
    timeout: 1
    confirm: false
  - name: gone
    description: { id: "Hilang", en-US: "Gone" }
    argv: [/usr/bin/no-such-program]
    confirm: false
  - name: open
    description: { id: "Terbuka", en-US: "Open" }
    argv: [${join(home, 'open.sh')}]
    confirm: false
`;

  before(async () => {
    home = realpathSync(mkdtempSync(join(tmpdir(), 'potion-scripts-')));
    chmodSync(home, 0o755);
    mkdirSync(join(home, 'files'));
    writeFileSync(join(home, 'files', 'three lines'), '1\n2\n3\n');
    for (const [name, text] of [
      [
        'fails.sh',
        'echo <b>half & done; echo "no way" >&2; exit 3\n'.replace('<b>', '"<b>"').replace('&', '"&"'),
      ],
      ['slow.sh', SLOW],
      ['open.sh', SLOW],
    ] as const)
      writeFileSync(join(home, name), text, { mode: 0o755 });
    chmodSync(join(home, 'open.sh'), 0o777);
    file = join(home, 'scripts.yaml');
    writeFileSync(file, list(), { mode: 0o644 });
    potion = await startCockpit({ env: { SCRIPTS_FILE: file } });
    cockpit = potion.cockpit;
  });
  after(async () => {
    await potion?.stop();
    rmSync(home, { recursive: true });
  });

  it('are listed with what they want, page by page, with a button for those that want nothing', async () => {
    const first = await cockpit.ask('/scripts');
    assert.match(first.text, /📜 Skrip \(1\/2\)/);
    assert.match(first.text, /\/script show <word> <count>\nTunjukkan argumen/);
    assert.match(first.text, /\/script hello ⚡\nSapaan/);
    assert.deepEqual(first.buttons.flat(), [
      '▶️ hello',
      '▶️ long',
      '▶️ fails',
      '▶️ slow',
      '▶️ late',
      '▶️ gone',
      '2/2 ➡️',
    ]);
    const second = await cockpit.press(first, '➡️');
    assert.equal(second.id, first.id);
    assert.match(second.text, /\/script open/);
  });

  it('that only read run at once, and give output, exit code and time', async () => {
    const { text } = await cockpit.ask('/script hello');
    assert.match(text, /^✅ hello selesai dalam 0 detik\nhello$/);
    const counted = await cockpit.ask('/run count "three lines"');
    assert.match(counted.text, /\n3 .*three lines$/);
  });

  it('that change something are asked about with their arguments, which reach the program as they are', async () => {
    const asked = await cockpit.ask('/script show "*;$(id) `x`" 7');
    assert.match(asked.text, /Yakin mau jalankan skrip show “\*;\$\(id\) `x`” 7\?/);
    const { id, text } = await cockpit.press(asked, 'Ya');
    assert.equal(id, asked.id);
    assert.match(text, /<\*;\$\(id\) `x`><7><\$HOME><; id>$/);
    const about = (await cockpit.audit())
      .filter((line) => line.includes('show'))
      .map((line) => /event=(\w+)/.exec(line)?.[1]);
    assert.deepEqual(about, ['request', 'confirm', 'confirm', 'script', 'result']);
  });

  it('do not run after a no', async () => {
    const asked = await cockpit.ask('/script show no 1');
    assert.match((await cockpit.press(asked, 'Batal')).text, /batal/);
    assert.ok(!(await cockpit.audit()).some((line) => /event=script .*show no/.test(line)));
  });

  for (const [line, answer] of [
    ['/script', /name belum disebut\n👉 Begini caranya: \/script <name> \[values\]/],
    ['/script helo', /tidak ada skrip bernama helo. Maksud kamu hello\?/],
    ['/script ../../bin/sh', /tidak ada skrip bernama/],
    ['/script --help', /tidak ada skrip bernama/],
    ['/script hello world', /"world" kelebihan/],
    ['/script show x', /count belum disebut\n👉 Begini caranya: \/script show <word> <count>/],
    ['/script show -rf 3', /"-rf" tidak boleh untuk word/],
    ['/script show x 10', /count harus angka bulat dari 1 sampai 9, bukan "10"/],
    ['/script count ../scripts.yaml', /tidak ada di dalam/],
    ['/script count /etc/passwd', /tidak ada di dalam/],
    ['/script gone', /program \/usr\/bin\/no-such-program tidak ada/],
    ['/script open', /open\.sh bisa diubah orang lain\n👉 sudo chmod go-w/],
    ['/scripts nope', /harus angka bulat/],
  ] as const)
    it(`answer "${line}" with what is wrong and what to do`, async () => {
      const { text } = await cockpit.ask(line);
      assert.match(text, answer);
      assert.match(text, /👉/);
    });

  it('that fail say so with their exit code and their last words', async () => {
    const { text } = await cockpit.ask('/script fails');
    assert.match(text, /^❌ fails selesai dalam .*, exit code 3\n<b>half & done\nno way$/);
  });

  it('that say a lot send it as a file, with its end in the message', async () => {
    const { text, file: sent } = await cockpit.ask('/script long');
    assert.match(text, /📎 Keluarannya 13\.892 karakter.*2999\s+3000$/s);
    assert.equal(sent?.name, 'long.txt');
    assert.match(sent?.text ?? '', /^1\n2\n(.*\n)+3000\n$/);
  });

  it('that take long tell so within a second, and end with their button, with all that they have started', async () => {
    const answer = cockpit.ask('/script slow');
    const news = await cockpit.hears(/^⏳ slow masih jalan/);
    assert.match(news.text, /⏳ slow masih jalan, sudah 1 detik\none/);
    const busy = await cockpit.ask('/script slow');
    assert.match(busy.text, /skrip slow masih jalan\n👉/);
    await cockpit.press(news, 'Hentikan');
    const { id, text } = await answer;
    assert.equal(id, news.id);
    assert.match(text, /skrip slow dihentikan sebelum selesai. Terakhir: one/);
    assert.match((await cockpit.ask('/script_stop nothing')).text, /sudah tidak jalan/);
  });

  it('end at their timeout', async () => {
    const { text } = await cockpit.ask('/script late');
    assert.match(
      text,
      /skrip late tidak selesai dalam 1 detik, jadi aku hentikan. Terakhir: one\n👉 Kalau memang butuh/,
    );
  });

  it('are not run when they have changed since they were asked about', async () => {
    const asked = await cockpit.ask('/script show a 1');
    writeFileSync(file, list().replace('; id', '; rm -rf'));
    assert.match((await cockpit.press(asked, 'Ya')).text, /skrip show sudah berubah sejak aku bertanya/);
    writeFileSync(file, list());
  });

  it('count as they stand in the file now, and what is wrong there is named with its line', async () => {
    writeFileSync(file, list().replace('argv: [/bin/echo, hello]', 'argv: [/bin/sh, -c, "echo hello"]'));
    const { text } = await cockpit
      .press(await cockpit.ask('/scripts'), '▶️ long')
      .then(() => cockpit.ask('/scripts'));
    assert.match(
      text,
      /⚠️ Ada yang salah di .*\n• baris 4 \(hello\): sh harus langsung diikuti path lengkap file skrip/,
    );
    assert.match((await cockpit.ask('/script hello')).text, /skrip hello salah tulis \(baris 4\)/);
    writeFileSync(file, 'scripts: [\n');
    assert.match((await cockpit.ask('/scripts')).text, /bukan YAML yang benar, baris \d/);
    writeFileSync(file, list());
  });

  it('are not believed when somebody else may have written them', async () => {
    chmodSync(file, 0o666);
    assert.match(
      (await cockpit.ask('/script hello')).text,
      /tidak aku percaya: .*bisa ditulis orang lain\n👉 sudo chmod go-w/,
    );
    chmodSync(file, 0o644);
    rmSync(file);
    assert.match((await cockpit.ask('/scripts')).text, /Belum ada skrip.*\n👉 Tulis di .*scripts\.yaml/);
    writeFileSync(file, list(), { mode: 0o644 });
  });

  it('are not run by themselves after a crash', async () => {
    const before = (await cockpit.audit()).length;
    void cockpit.ask('/script slow').catch(() => {});
    await cockpit.hears(/^⏳ slow masih jalan/);
    await potion.restart();
    await cockpit.hears(/Aku sempat mati di tengah jalan waktu mengerjakan \/script slow/);
    const runs = (await cockpit.audit()).slice(before).filter((line) => line.includes('event=script'));
    assert.deepEqual(runs, []);
  });
});

import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseError, tooMany, unauthorized } from '../../ops/sandbox/faults.js';
import { HOME } from '../support/node-red.ts';
import { freshSandbox, TOKEN } from '../support/sandbox.ts';
import { AILING, Bench, WELL } from './program.ts';

const OTHER_TOKEN = `777:${'O'.repeat(35)}`;

describe('the program potion-health', function () {
  this.timeout(60_000);
  const telegram = freshSandbox();
  let bench: Bench;
  beforeEach(async () => {
    bench = await new Bench().start(telegram.sandbox.url);
  });
  afterEach(() => bench.stop());

  const told = () => telegram.sandbox.messages().map(({ text = '' }) => text);
  const calls = () => telegram.sandbox.requests.filter(({ method }) => method === 'sendMessage');
  const filesBelow = (folder: string) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));

  it('says nothing while all is well, and writes down what it has found', async () => {
    const [ran] = await bench.looks(1);
    assert.deepEqual(ran, { code: 0, out: '', err: '' });
    assert.deepEqual(told(), []);
    assert.match(bench.log, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d well health=ok .*potion-bot=ok disk:.*\n$/);
    const { ok, at, health, incidents } = bench.result;
    assert.deepEqual([ok, health, incidents], [true, { answer: 'ok' }, []]);
    assert.ok(Math.abs(Date.parse(String(at)) - Date.now()) < 60_000);
  });

  it('tells that Potion is down at the second look, once, and that it is back, silently', async () => {
    bench.potion = undefined;
    await bench.looks(1);
    assert.deepEqual(told(), []);
    await bench.looks(3);
    assert.equal(told().length, 1);
    assert.match(
      told()[0] ?? '',
      /^🔴 laptop: Potion is down, since about .*\n.*socket hang up|other side closed/,
    );
    bench.potion = WELL;
    await bench.looks(2);
    assert.equal(told().length, 2);
    assert.match(told()[1] ?? '', /^✅ laptop: Potion is back\. The trouble took \d+ minutes:/);
    assert.deepEqual(
      telegram.sandbox.chatLog().map(({ silent }) => silent),
      [false, true],
    );
    assert.match(bench.log, /told 100001 potion:begin through BOT_TOKEN/);
  });

  it('names the parts that ail, whatever stands in them', async () => {
    bench.potion = AILING;
    await bench.looks(2);
    assert.match(
      told()[0] ?? '',
      /^🟠 laptop: Potion runs but is not well.*\n.*\n• flows: the flows <are> stopped/,
    );
  });

  it('takes another program on the port for no Potion', async () => {
    bench.potion = { status: 200, body: '<html>Welcome to nginx!</html>' };
    await bench.looks(2);
    assert.match(told()[0] ?? '', /Potion is down.*\n.*not Potion's answer/);
  });

  it('speaks Indonesian unless told otherwise', async () => {
    delete bench.env.POTION_LANG;
    bench.env.SERVER_NAME = 'a<b>&c';
    bench.potion = undefined;
    await bench.looks(2);
    assert.match(told()[0] ?? '', /^🔴 a<b>&c: Potion tidak jalan, sejak sekitar/);
  });

  it('goes through the owner’s own bot to the owner, if there is one', async () => {
    Object.assign(bench.env, { OWNER_BOT_TOKEN: TOKEN, BOT_TOKEN: OTHER_TOKEN, ADMIN_IDS: '5' });
    bench.env.OWNER_IDS = '100001';
    bench.potion = undefined;
    await bench.looks(2);
    assert.equal(told().length, 1);
    assert.match(bench.log, /through OWNER_BOT_TOKEN/);
    bench.potion = WELL;
    await bench.looks(2);
    assert.match(told().at(-1) ?? '', /Telegram refuses BOT_TOKEN/, 'which that bot could not tell itself');
  });

  it('goes through Potion’s bot where the owner’s is refused', async () => {
    bench.env.OWNER_BOT_TOKEN = OTHER_TOKEN;
    bench.potion = undefined;
    await bench.looks(2);
    assert.equal(told().length, 1);
    assert.match(bench.log, /through BOT_TOKEN/);
  });

  it('reaches the others where one has blocked the bot', async () => {
    telegram.sandbox.world.meet({ id: 5, is_bot: false, first_name: 'Second' });
    bench.env.ADMIN_IDS = '100001,5';
    telegram.sandbox.block();
    bench.potion = undefined;
    await bench.looks(3);
    assert.equal(telegram.sandbox.messages(5).length, 1);
    assert.match(bench.log, /could not tell 100001 potion:begin: .*blocked/);
  });

  it('keeps what it can not send, and tells it as something that has passed', async () => {
    await telegram.sandbox.faults.down();
    bench.potion = undefined;
    await bench.looks(3);
    bench.potion = WELL;
    await bench.looks(2);
    assert.match(bench.log, /potion-bot=(unreachable|offline)/);
    await telegram.sandbox.faults.up();
    await bench.looks(2);
    assert.equal(told().length, 1);
    assert.match(
      told()[0] ?? '',
      /^🕘 laptop: Potion was in trouble for \d+ minutes: .* to .*could not tell you then/,
    );
  });

  it('waits for a short flood limit, and leaves a long one to a later look', async () => {
    bench.potion = undefined;
    const short = telegram.sandbox.faults.add(tooMany(1), { method: 'sendMessage', times: 1 });
    await bench.looks(2);
    assert.deepEqual([short.struck, told().length], [1, 1]);
    bench.potion = WELL;
    const long = telegram.sandbox.faults.add(tooMany(700), { method: 'sendMessage' });
    await bench.looks(2);
    assert.equal(long.struck, 1, 'and does not ask again in between');
    long.off();
    await bench.looks(2);
    assert.equal(told().length, 2);
  });

  it('sends without markup what Telegram will not take with it', async () => {
    telegram.sandbox.faults.add(parseError(), { method: 'sendMessage', times: 1 });
    bench.potion = undefined;
    await bench.looks(2);
    assert.deepEqual(
      calls().map(({ params, status }) => [params.parse_mode, status]),
      [
        ['HTML', 400],
        [undefined, 200],
      ],
    );
    assert.doesNotMatch(told()[0] ?? '', /<b>/);
  });

  it('sends again what may have been lost on the way', async () => {
    telegram.sandbox.faults.add({ kind: 'reset' }, { method: 'sendMessage', times: 1 });
    bench.potion = undefined;
    await bench.looks(3);
    assert.equal(told().length, 1);
  });

  it('tells a refused token from a Telegram that is away', async () => {
    telegram.sandbox.faults.add(unauthorized());
    await bench.looks(1);
    assert.match(bench.log, /potion-bot=refused/);
  });

  it('without any bot keeps to its files and says so', async () => {
    bench.env.BOT_TOKEN = '';
    bench.potion = undefined;
    const ran = await bench.looks(3);
    assert.ok(ran.every(({ code }) => code === 0));
    assert.match(bench.log, /nobody to tell: no bot token is set/);
    assert.equal(bench.result.ok, false);
  });

  it('speaks with settings that keep Potion itself from starting', async () => {
    Object.assign(bench.env, { ADMIN_IDS: '100001, someone', LOG_LEVEL: 'loud', EDITOR_BIND: '0.0.0.0' });
    bench.potion = undefined;
    await bench.looks(2);
    assert.equal(told().length, 1);
    for (const name of ['ADMIN_IDS', 'LOG_LEVEL', 'EDITOR_BIND'])
      assert.match(told()[0] ?? '', new RegExp(`• ${name}: `));
  });

  it('tells of wrong settings before a restart of Potion finds them', async () => {
    bench.env.LOG_LEVEL = 'loud';
    await bench.looks(4);
    assert.equal(told().length, 1);
    assert.match(told()[0] ?? '', /^📝 laptop: a setting is wrong.*\n.*\n• LOG_LEVEL: "loud"/);
  });

  it('starts anew when its notes are damaged, and says so', async () => {
    await bench.looks(1);
    const file = join(bench.env.DATA_DIR ?? '', 'health', 'state.json');
    writeFileSync(file, readFileSync(file, 'utf8').slice(0, 40));
    const { out } = await bench.run();
    assert.match(out, /state\.json was damaged, started anew/);
    assert.equal(JSON.parse(readFileSync(file, 'utf8')).version, 1);
  });

  it('remembers in memory what a disk does not take, and does not repeat itself', async () => {
    writeFileSync(join(bench.folder, 'file'), '');
    bench.env.DATA_DIR = join(bench.folder, 'file', 'data');
    bench.env.LOG_DIR = join(bench.folder, 'file', 'logs');
    bench.env.RUNTIME_DIRECTORY = join(bench.folder, 'run');
    mkdirSync(bench.env.RUNTIME_DIRECTORY);
    bench.potion = undefined;
    const [, second] = await bench.looks(4);
    assert.equal(told().length, 1);
    assert.match(second?.out ?? '', /state not kept in .*ENOTDIR/);
    assert.match(second?.err ?? '', /health\.log is not written: .*ENOTDIR/);
    bench.env.DATA_DIR = join(bench.folder, 'data');
    await bench.looks(2);
    assert.equal(told().length, 1, 'nor once the disk takes it again');
    assert.ok(!existsSync(join(bench.env.RUNTIME_DIRECTORY, 'state.json')));
  });

  it('speaks where the packages are damaged, which may be why Potion is down', async () => {
    const home = join(bench.folder, 'home');
    for (const part of ['ops/health', 'nodes/kit', 'nodes/host'])
      cpSync(join(HOME, part), join(home, part), { recursive: true });
    bench.potion = undefined;
    await bench.run([], home);
    bench.timePasses(5);
    const { code, err } = await bench.run([], home);
    assert.equal(code, 0);
    assert.match(err, /the texts can't be used/);
    assert.match(told()[0] ?? '', /^laptop: potion\.down since \d{4}-.*\n/);
  });

  it('prints what it finds for a person, without keeping or sending anything', async () => {
    const well = await bench.run(['--now']);
    assert.equal(well.code, 0, well.out);
    assert.match(well.out, /^laptop, .*\nPotion is well\.\n.*Bot BOT_TOKEN: accepted.*Told are: 100001\n$/s);
    bench.potion = AILING;
    const ailing = await bench.run(['--now']);
    assert.equal(ailing.code, 1);
    assert.match(ailing.out, /⚠️ What is wrong:\n {2}• flows: the flows <are> stopped/);
    assert.ok(!existsSync(bench.env.DATA_DIR ?? ''));
    assert.deepEqual(told(), []);
  });

  it('sends a test message, and fails when nobody gets it', async () => {
    const good = await bench.run(['--test']);
    assert.deepEqual([good.code, good.out], [0, '✔ 100001: sent through BOT_TOKEN\n']);
    assert.match(told()[0] ?? '', /^🧪 laptop/);
    telegram.sandbox.block();
    const bad = await bench.run(['--test']);
    assert.equal(bad.code, 1);
    assert.match(bad.out, /✘ 100001: not sent: .*blocked/);
    assert.equal((await bench.run(['--what'])).code, 2);
  });

  it('never writes a token anywhere, whatever fails', async () => {
    bench.env.OWNER_BOT_TOKEN = OTHER_TOKEN;
    bench.potion = undefined;
    const ran = await bench.looks(2);
    await telegram.sandbox.faults.down();
    bench.potion = WELL;
    ran.push(...(await bench.looks(2)), await bench.run(['--now']), await bench.run(['--test']));
    const files = filesBelow(bench.folder);
    assert.ok(files.length >= 3);
    const all = [...ran.map(({ out, err }) => out + err), ...files.map((file) => readFileSync(file, 'utf8'))];
    for (const text of all)
      for (const token of [TOKEN, OTHER_TOKEN]) assert.ok(!text.includes(token.slice(5)), text);
  });
});

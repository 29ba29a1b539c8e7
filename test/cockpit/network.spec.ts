import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { needs } from '../support/needs.ts';
import { type LocalCockpit, startCockpit } from './cockpit.ts';

/** A service that tells one's address, or what it tells instead. */
async function service(answer: (path: string) => { status: number; text: string } | undefined) {
  const asked: string[] = [];
  const server: Server = createServer((request, response) => {
    asked.push(request.url ?? '');
    const given = answer(request.url ?? '');
    if (!given) response.destroy();
    else response.writeHead(given.status).end(given.text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return { url: `http://127.0.0.1:${port}`, asked, stop: () => server.close() };
}

const NAVIGATION = [['🌐 Alamat IP', '📶 Ping'], ['📈 Bandwidth', '🔗 Tailscale'], ['🌍 IP publik']];

describe('🌐 Network', function () {
  this.timeout(60_000);
  let potion: LocalCockpit;
  let who: Awaited<ReturnType<typeof service>>;
  let answers: Record<string, { status: number; text: string } | undefined> = {};

  before(async function () {
    needs(this, 'ping');
    who = await service((path) => answers[path]);
    potion = await startCockpit({
      env: {
        PING_FAVORITES: '127.0.0.1,::1,nosuch.invalid',
        PUBLIC_IP_URLS: `${who.url}/first,${who.url}/second`,
        SERVER_NAME: 'rumah',
      },
    });
  });
  after(async () => {
    await potion?.stop();
    who?.stop();
  });

  const ask = (text: string) => potion.cockpit.ask(text);

  it('tells the addresses, ways out and name servers, and leads on from there', async () => {
    const panel = await ask('🌐 Network');
    assert.match(panel.text, /^🌐 Alamat rumah\n/);
    assert.match(panel.text, /🚪 /);
    assert.match(panel.text, /🧭 DNS: /);
    assert.deepEqual(panel.buttons, NAVIGATION);
    assert.equal((await ask('/ip')).text, panel.text);
    const next = await potion.cockpit.press(panel, 'Bandwidth');
    assert.equal(next.id, panel.id);
    assert.match(next.text, /^📈 Bandwidth sekarang\n/);
    assert.match(next.text, /⬇️ [\d.,]+\s[KMG]?B\/s · ⬆️ [\d.,]+\s[KMG]?B\/s\n {3}sejak hidup: ⬇️ /);
    assert.equal((await potion.cockpit.press(next, 'Alamat IP')).text, panel.text);
  });

  it('asks nobody for the public address unless it is asked for', async () => {
    assert.deepEqual(who.asked, []);
    answers = { '/first': { status: 200, text: '203.0.113.7\n' } };
    const { text } = await potion.cockpit.press(await ask('/network'), 'IP publik');
    assert.match(text, /^🌍 Alamat publik: 203\.0\.113\.7\nMenurut 127\.0\.0\.1:\d+\.$/);
    assert.deepEqual(who.asked, ['/first']);
  });

  it('asks the second service when the first one can’t tell', async () => {
    for (const first of [
      undefined,
      { status: 500, text: 'no' },
      { status: 200, text: '<html>' },
      { status: 200, text: '9'.repeat(1e6) },
    ]) {
      answers = { '/first': first, '/second': { status: 200, text: '2001:db8::7' } };
      assert.match((await ask('/public_ip')).text, /Alamat publik: 2001:db8::7\n/);
    }
    answers = { '/first': { status: 500, text: '' } };
    const { text } = await ask('/public_ip');
    assert.match(
      text,
      /^Kenapa ya.*tidak bisa ditanyakan: 127\.0\.0\.1:\d+ \(HTTP 500\), 127\.0\.0\.1:\d+ \(.*\)\n👉 /,
    );
  });

  it('pings all favourites at once', async () => {
    const started = performance.now();
    const { text, buttons } = await ask('/ping');
    assert.match(
      text,
      /^📶 Ping\n🟢 127\.0\.0\.1: [\d,]+ ms\n {3}4 dari 4 kembali \(0% hilang\) · [\d,]+–[\d,]+ ms · jitter [\d,]+ ms\n🟢 ::1: /,
    );
    assert.match(text, /🔴 nosuch\.invalid: (nama itu tidak dikenal|server DNS tidak menjawab)$/);
    assert.deepEqual(buttons, NAVIGATION);
    assert.ok(performance.now() - started < 9000);
  });

  it('pings one host, and is patient about it', async () => {
    const answer = await ask('/ping localhost');
    assert.match(answer.text, /🟢 localhost \((127\.0\.0\.1|::1)\): /);
    assert.match((await potion.cockpit.history(answer))[0] ?? '', /lagi aku cek dulu/);
  });

  it('says how to get Tailscale where there is none', async () => {
    assert.match((await ask('/tailscale')).text, /Tailscale belum terpasang[\s\S]*👉 .*tailscale up/);
  });

  for (const host of ['-c', '--help', '127.1', 'a/b', '$(id)', '"1.1.1.1 -f"'])
    it(`refuses to ping ${host}`, async () => {
      assert.match((await ask(`/ping ${host}`)).text, /bukan alamat IP atau nama host\n👉 Tulis seperti/);
    });

  for (const command of ['network', 'ip', 'public_ip', 'bandwidth', 'tailscale'])
    it(`says that /${command} takes nothing else`, async () => {
      assert.match((await ask(`/${command} extra`)).text, /"extra" kelebihan/);
    });

  it('says that /ping takes one host', async () => {
    assert.match((await ask('/ping localhost extra')).text, /"extra" kelebihan\n👉 .*\/ping \[host\]/);
  });
});

describe('🌐 Network, in English', function () {
  this.timeout(60_000);
  let potion: LocalCockpit;

  before(async function () {
    needs(this, 'ping');
    const env = { POTION_LANG: 'en-US', PING_FAVORITES: '127.0.0.1', PUBLIC_IP_URLS: 'http://127.0.0.1:9' };
    potion = await startCockpit({ env });
  });
  after(() => potion?.stop());

  const answers: [string, RegExp][] = [
    ['/network', /^🌐 Addresses of Potion\n/],
    ['/bandwidth', /^📈 Bandwidth right now\n/],
    ['/ping', /^📶 Ping\n🟢 127\.0\.0\.1: [\d.]+ ms\n {3}4 of 4 came back \(0% lost\)/],
    ['/ping -c', /-c is neither an IP address nor a host name/],
    ['/public_ip', /nobody could say the public address: 127\.0\.0\.1:9 \(.*\)/],
    ['/tailscale', /Tailscale is not installed/],
  ];
  for (const [line, answer] of answers)
    it(`answers ${line}`, async () => assert.match((await potion.cockpit.ask(line)).text, answer));
});

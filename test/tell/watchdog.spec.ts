import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BotConfig } from '../../nodes/host/telegram.js';
import { ManualClock, systemClock } from '../../nodes/kit/clock.js';
import { setClock } from '../../nodes/kit/define-node.js';
import { pulseOf } from '../../nodes/kit/pulse.js';
import { conflict, type Sandbox } from '../../ops/sandbox/server.js';
import { ApiError } from '../../ops/sandbox/telegram.js';
import { nodeOf, type Running } from '../support/node-red.ts';
import { botNode, startTelegram, telegramFlow } from '../support/telegram.ts';

describe('watchdog, with the real bot, control and receiver nodes', () => {
  let telegram: Sandbox;
  let flow: Running;

  const start = async (watchdog: object = {}, bot: object = {}) => {
    flow = await telegramFlow(
      ['tell/watchdog'],
      [
        botNode(telegram.url, { updatemode: 'polling', ...bot }),
        botNode(telegram.url, { id: 'other' }),
        {
          id: 'watchdog',
          type: 'potion-watchdog',
          z: 'tab',
          bot: 'bot',
          within: 60,
          lostAfter: 60,
          wires: [['control', 'restarts'], ['news']],
          ...watchdog,
        },
        { id: 'control', type: 'telegram control', z: 'tab', bot: 'bot', wires: [[]] },
        { id: 'restarts', type: 'helper', z: 'tab' },
        { id: 'news', type: 'helper', z: 'tab' },
        { id: 'receiver', type: 'telegram receiver', z: 'tab', bot: 'bot', wires: [['updates'], []] },
        { id: 'updates', type: 'helper', z: 'tab' },
      ],
    );
  };
  beforeEach(async () => {
    telegram = await startTelegram();
  });
  afterEach(async () => {
    await flow.stop();
    await telegram.stop();
  });

  const config = () => nodeOf('bot') as unknown as BotConfig;
  const status = () => flow.statuses('watchdog').at(-1)?.text ?? '';
  const until = async (fits: () => boolean, what: string, ms = 8000) => {
    for (const end = Date.now() + ms; !fits(); await sleep(20))
      if (Date.now() > end) assert.fail(`not ${what} within ${ms} ms; the status is "${status()}"`);
  };
  const news = () => flow.got('news').map((msg) => (msg.payload as { state: string }).state);
  /** Whether a message of a person reaches the flow. */
  const hears = async (text: string, ms = 8000) => {
    telegram.say(text);
    const heard = () =>
      flow.got('updates').some((msg) => (msg.payload as { content: string }).content === text);
    await until(heard, `heard "${text}"`, ms);
  };

  it('sees each poll as a sign of life', async () => {
    await start();
    await hears('hello');
    assert.equal(status(), 'mendengarkan');
    const age = Date.now() - (pulseOf('telegram')?.at ?? 0);
    assert.ok(age < 5000 && pulseOf('telegram')?.ailing === undefined);
  });

  it('mends a bot that was rebuilt but never polls again, while its status says connected', async () => {
    const clock = new ManualClock();
    setClock(clock);
    await telegram.faults.down();
    await start();
    setClock(systemClock);
    const bot = config() as BotConfig & { scheduleRestart(why: string): void; status: string };
    const first = bot.getTelegramBot(false);
    // As after the fifth failed poll in a minute. The new bot's first failure meets the old one's retry timer,
    // takes it for its own, and nobody starts its polling again.
    bot.scheduleRestart('as after many failures');
    await until(() => ![null, first].includes(bot.getTelegramBot(false)), 'rebuilt');
    await telegram.faults.up();
    await sleep(4000);
    assert.deepEqual([bot.getTelegramBot(false)?.isPolling?.(), bot.status], [false, 'connected']);
    clock.advance(30_000);
    await hears('are you there?');
    assert.deepEqual(flow.got('restarts')[0]?.payload, { command: 'restart', delay: 500 });
  }).timeout(20_000);

  it('mends a bot whose polling was ended behind its back', async () => {
    await start({ within: 1 });
    await hears('one');
    await (
      config().getTelegramBot(false) as unknown as { stopPolling(how: object): Promise<void> }
    ).stopPolling({
      cancel: true,
    });
    await hears('two');
  });

  it('restarts a bot that was created behind the receivers’ backs, so that no command is lost', async () => {
    await start({ within: 2 });
    await hears('one');
    const bot = config() as BotConfig & {
      abortBot(hint: string, done: () => void): void;
      telegramBot: unknown;
    };
    await new Promise<void>((done) => bot.abortBot('as at a restart', done));
    // What the sender node does when a message comes in just then.
    assert.ok(bot.getTelegramBot(true));
    await until(() => flow.got('restarts').length > 0, 'restarted');
    await hears('two');
  });

  it('names another instance on the same token, tells it once, and says when it is over', async () => {
    await start();
    const fault = telegram.faults.add(conflict(), { method: 'getUpdates' });
    await until(() => /409/.test(status()), 'named');
    assert.match(pulseOf('telegram')?.ailing ?? '', /another instance/);
    await until(() => news().length > 0, 'told');
    await sleep(300);
    assert.deepEqual(news(), ['conflict']);
    assert.equal(flow.got('news')[0]?.incident?.state, 'firing');
    fault.off();
  });

  it('tells that the connection is lost and back, from when to when', async () => {
    const clock = new ManualClock();
    setClock(clock);
    await start();
    setClock(systemClock);
    await hears('one');
    await telegram.faults.down();
    await sleep(300);
    clock.advance(65_000);
    await until(() => news().includes('lost'), 'told of the loss');
    assert.match(pulseOf('telegram')?.ailing ?? '', /no poll for/);
    await telegram.faults.up();
    await hears('two');
    clock.advance(11_000);
    await hears('three');
    await until(() => news().includes('back'), 'told of the return');
    assert.deepEqual(news(), ['lost', 'back']);
    const [lost, back] = flow.got('news');
    assert.equal(lost?.incident?.id, back?.incident?.id);
    assert.deepEqual([back?.incident?.state, back?.say?.text], ['resolved', 'watchdog.back']);
    const told = back?.payload as { since: number; until: number; reason: { words: string } };
    assert.equal(told.until - told.since, 65_000);
    assert.equal(told.reason.words, 'Jaringan atau jalan ke Telegram sedang putus');
  }).timeout(20_000);

  it('says that the token is refused', async () => {
    telegram.faults.add({ kind: 'api', error: new ApiError(401, 'Unauthorized') }, { method: 'getUpdates' });
    await start();
    await until(() => /401/.test(status()), 'named');
    assert.match(pulseOf('telegram')?.ailing ?? '', /token is refused/);
  });

  it('says that the bot has no token, and does not try to restart it', async () => {
    await start({ bot: 'other', within: 0.5 }, {});
    await until(() => /tidak punya token/.test(status()), 'named');
    await sleep(700);
    assert.equal(flow.got('restarts').length, 0);
    assert.match(pulseOf('telegram')?.ailing ?? '', /no token/);
  });

  it('has nothing to do for a bot that does not poll', async () => {
    await start({}, { updatemode: 'none' });
    await until(() => /tidak polling/.test(status()), 'idle');
  });
});

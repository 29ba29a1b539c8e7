import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BotConfig } from '../../nodes/host/telegram.js';
import { ManualClock, systemClock } from '../../nodes/kit/clock.js';
import { config, overlayConfig } from '../../nodes/kit/config.js';
import { setClock } from '../../nodes/kit/define-node.js';
import type { CommandSpec } from '../../nodes/kit/door.js';
import { isShown, listsOf } from '../../nodes/tell/menu/lists.js';
import { type Sandbox, serverError } from '../../ops/sandbox/server.js';
import { nodeOf, type Running } from '../support/node-red.ts';
import { botNode, startTelegram, telegramFlow } from '../support/telegram.ts';

const spec = (name: string, more: Partial<CommandSpec> = {}): CommandSpec => ({
  name,
  aliases: [],
  order: 1,
  description: '',
  usage: '',
  changes: false,
  ...more,
});

describe('Telegram’s own list of commands, as it should be', () => {
  it('is there in each language, and in Potion’s own for everybody else', () => {
    const lists = listsOf([spec('status', { description: 'commands.status' })], 'en-US');
    assert.deepEqual(
      lists.map(({ language }) => language),
      ['', 'id', 'en'],
    );
    const [other, id, en] = lists.map(({ commands }) => commands[0]?.description);
    assert.match(id ?? '', /kabar singkat/);
    assert.match(en ?? '', /at a glance/);
    assert.equal(other, en);
  });

  it('keeps Telegram’s limits: 100 commands, 1 to 256 characters, nothing hidden', () => {
    const many = Array.from({ length: 150 }, (_, i) =>
      spec(`c${i}`, { description: i ? 'ö😀'.repeat(200) : ' ' }),
    );
    const [list] = listsOf([spec('secret', { hidden: true }), ...many], 'id');
    assert.equal(list?.commands.length, 100);
    assert.deepEqual(list?.commands[0], { command: 'c0', description: 'c0' });
    for (const { description } of list?.commands ?? []) {
      assert.ok(description.length >= 1 && description.length <= 256);
      assert.ok(description.isWellFormed());
    }
  });

  it('is shown when Telegram has the same commands, in the same order', () => {
    const wanted = [
      { command: 'a', description: 'A' },
      { command: 'b', description: 'B' },
    ];
    assert.ok(isShown(wanted, structuredClone(wanted)));
    assert.ok(!isShown(wanted, wanted.toReversed()));
    assert.ok(!isShown(wanted, wanted.slice(1)));
    assert.ok(!isShown(wanted, undefined));
    assert.ok(isShown([], []));
  });
});

describe('menu, with the real bot', function () {
  this.timeout(20_000);
  let telegram: Sandbox;
  let flow: Running;

  const start = async () => {
    flow = await telegramFlow(
      ['tell/command', 'tell/menu'],
      [
        botNode(telegram.url, { updatemode: 'polling' }),
        { id: 'receiver', type: 'telegram receiver', z: 'tab', bot: 'bot', wires: [[], []] },
        {
          id: 'hello',
          type: 'potion-command',
          z: 'tab',
          command: 'hello',
          description: 'commands.start',
          wires: [],
        },
        { id: 'secret', type: 'potion-command', z: 'tab', command: 'secret', hidden: true, wires: [] },
        { id: 'menu', type: 'potion-menu', z: 'tab', bot: 'bot' },
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
  const calls = (method: string) => telegram.requests.filter((request) => request.method === method);
  const until = async (fits: () => boolean) => {
    for (const end = Date.now() + 10_000; !fits(); await sleep(20))
      if (Date.now() > end) assert.fail(JSON.stringify(telegram.requests.map(({ method }) => method)));
  };

  it('brings Telegram the commands soon after the start, and nothing twice', async () => {
    await start();
    await until(() => calls('setMyCommands').length === 3);
    assert.deepEqual(telegram.commands(telegram.user.id, 'id'), [
      { command: 'hello', description: 'sapaan dan tombol-tombolnya' },
    ]);
    await until(() => flow.statuses('menu').at(-1)?.fill === 'green');
    await flow.stop();
    await start();
    await until(() => calls('getMyCommands').length === 6);
    await until(() => flow.statuses('menu').at(-1)?.fill === 'green');
    assert.equal(calls('setMyCommands').length, 3);
  });

  it('follows Potion’s language', async () => {
    await start();
    await until(() => calls('setMyCommands').length === 3);
    const shown = () => telegram.commands()[0]?.description;
    const before = shown();
    overlayConfig((given) => ({ ...given, lang: 'en-US' }));
    assert.equal(config().lang, 'en-US');
    await until(() => shown() !== before);
    assert.equal(calls('setMyCommands').length, 4, 'only the list for everybody else');
  });

  it('tries again, ever more rarely, while Telegram is in trouble', async () => {
    const clock = new ManualClock();
    setClock(clock);
    const fault = telegram.faults.add(serverError(), { method: 'setMyCommands' });
    await start();
    setClock(systemClock);
    const tries = async (count: number) => {
      await until(() => calls('setMyCommands').length === count && flow.statuses('menu').length === count);
      await sleep(50);
    };
    clock.advance(1000);
    await tries(1);
    assert.equal(flow.statuses('menu').at(-1)?.fill, 'yellow');
    clock.advance(5000);
    await tries(2);
    clock.advance(9000);
    await sleep(100);
    assert.equal(calls('setMyCommands').length, 2, 'ten seconds are not over');
    fault.off();
    clock.advance(1000);
    await until(() => flow.statuses('menu').at(-1)?.fill === 'green');
    assert.equal(telegram.commands().length, 1);
  });

  it('never makes the bot that is not there: it waits for it', async () => {
    flow = await telegramFlow(
      ['tell/menu'],
      [botNode(telegram.url), { id: 'menu', type: 'potion-menu', z: 'tab', bot: 'bot' }],
    );
    const bot = nodeOf('bot') as BotConfig;
    bot.getTelegramBot = (create) => {
      assert.equal(create, false);
      return null;
    };
    await until(() => flow.statuses('menu').at(-1)?.fill === 'yellow');
    assert.deepEqual(calls('setMyCommands'), []);
  });
});

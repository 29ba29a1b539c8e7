import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandSpec } from '../../nodes/kit/door.js';
import { Dice } from '../chaos/dice.ts';
import { shippedNodes } from '../support/changes.ts';
import { type LocalCockpit, startCockpit } from './cockpit.ts';
import { People, type Sent } from './fuzz/people.ts';

const UPDATES = 500;
const ADMINS = Array.from({ length: 40 }, (_, i) => 1000 + i);
const STRANGERS = Array.from({ length: 10 }, (_, i) => 666_000 + i);

/** Commands that ask somebody outside this machine. */
const OUTSIDE = /^(ping|public_ip|tailscale|apt_|npm_|git_|update$)/;

/** Nothing that follows a yes: this Potion has nobody before it who would hold it back. */
const harmless = Object.fromEntries(
  shippedNodes().flatMap(({ id, type, action, wires = [] }): [string, object][] => {
    if (type === 'potion-confirm') return [[id, { wires: [[], wires[1] ?? []] }]];
    return type === 'potion-script' && action === 'check' ? [[id, { wires: [wires[0] ?? [], []] }]] : [];
  }),
);

const commands = shippedNodes()
  .filter(({ type, command }) => type === 'potion-command' && !OUTSIDE.test(String(command)))
  .map(({ command, aliases, args }) => ({
    name: String(command),
    aliases: String(aliases ?? '')
      .split(/[\s,]+/)
      .filter(Boolean),
    usage: String(args ?? ''),
  })) as unknown as CommandSpec[];

describe(`${UPDATES} updates of people at their worst, over HTTP, to a whole Potion`, function () {
  this.timeout(90_000);
  let potion: LocalCockpit;
  const wanted: Sent[] = [];

  before(async () => {
    const env = {
      ADMIN_IDS: ADMINS.join(','),
      SERVICES_WHITELIST: 'nginx',
      SCRIPTS_FILE: '/nonexistent/scripts.yaml',
      PUBLIC_IP_URLS: 'http://127.0.0.1:9',
    };
    potion = await startCockpit({ env, changes: harmless });
    for (const id of [...ADMINS, ...STRANGERS])
      potion.sandbox.world.meet({ id, is_bot: false, first_name: 'A' });
  });
  after(() => potion?.stop());

  it('end nothing, give strangers nothing, and leave no admin without an answer', async () => {
    const { sandbox } = potion;
    const people = new People(new Dice(7), { admins: ADMINS, strangers: STRANGERS, now: Date.now, seed: 7 });
    const { pid } = potion.potion;
    for (let done = 0; done < UPDATES; done++) {
      const sent = people.next(commands, []);
      if (sent.wants) wanted.push(sent);
      const { payload, originalMessage } = sent.msg as {
        payload?: { type?: string };
        originalMessage?: object;
      };
      sandbox.world.updates.add({ [payload?.type ?? 'message']: originalMessage } as never);
      if (done % 20 === 19) await sleep(50);
    }
    const db = new DatabaseSync(join(potion.potion.dataDir, 'potion.db'), { readOnly: true, timeout: 5000 });
    const limited = () =>
      new Set(audit().flatMap((line) => /user=(\d+) .*result=limited/.exec(line)?.[1] ?? []));
    const audit = () => readFileSync(join(potion.potion.dataDir, 'logs', 'actions.log'), 'utf8').split('\n');
    const left = () => {
      const rows = db.prepare('SELECT id, answered_at FROM requests').all();
      const known = new Map(rows.map((row) => [String(row.id), row.answered_at]));
      const held = limited();
      return wanted
        .filter(({ wants = '', line = '' }) =>
          known.has(wants)
            ? known.get(wants) === null
            : line.length <= 8192 && !held.has(wants.split(':')[0] ?? ''),
        )
        .map(({ line }) => line?.slice(0, 80));
    };
    try {
      for (const end = Date.now() + 45_000; left().length > 0 && Date.now() < end; ) await sleep(200);
      assert.deepEqual(left(), []);
    } finally {
      db.close();
    }
    assert.equal(potion.potion.pid, pid);
    const strange = STRANGERS.flatMap((id) => sandbox.messages(id)).filter(({ from }) => from?.is_bot);
    assert.deepEqual(strange, []);
    const strangers = new Set(audit().flatMap((line) => /user=(666\d+) event=refused/.exec(line)?.[1] ?? []));
    assert.ok(strangers.size >= 5, `${strangers.size} strangers in the log`);
    await potion.potion.waitReady(5000);
  });
});

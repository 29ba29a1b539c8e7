// Lets people at their worst loose on all of Potion's flows, in a process that can do no harm:
// `inside.ts <updates> <seed> <folder> [careless]`. Prints what it saw as JSON.
import './effects.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { setConfig } from '../../../nodes/kit/config.js';
import { setClock } from '../../../nodes/kit/define-node.js';
import { door } from '../../../nodes/kit/door.js';
import { readConfig } from '../../../nodes/kit/environment.js';
import { allKept } from '../../../nodes/kit/intake.js';
import { Dice } from '../../chaos/dice.ts';
import { effects } from './effects.ts';
import { fastClock, openHouse } from './house.ts';
import { People, type Sent } from './people.ts';

export interface Report {
  updates: number;
  kinds: Record<string, number>;
  commands: string[];
  /** How often each command was asked for by an admin who may. */
  asked: Record<string, number>;
  /** Rejected promises and thrown errors that nobody caught. */
  crashes: string[];
  /** Things that were done or said for strangers alone. */
  forStrangers: string[];
  strangersLogged: number;
  /** Chats that were written to, though they are no admin's own. */
  wrongChats: number[];
  /** Presses that were answered though nobody who may has made them. */
  wrongPresses: string[];
  changes: number;
  /** Changes without a yes of the person who asked, or with one that was used before. */
  unlawful: string[];
  /** Lines of admins that were neither answered nor held back for their number. */
  unanswered: string[];
  answered: number;
  limited: number;
  /** Answers to one who has sent hundreds of lines at once. */
  flooded: number;
  failures: Record<string, number>;
  effects: Record<string, number>;
  seconds: number;
}

const [count = '10000', seed = '1', folder = '/tmp', careless] = process.argv.slice(2);
const ADMINS = Array.from({ length: 60 }, (_, i) => 1000 + i);
const STRANGERS = Array.from({ length: 40 }, (_, i) => 666_000 + i);
const STRANGERS_FIRST = Math.round(Number(count) / 10);
const BATCH = 40;
const FLOOD = 400;

const crashes: string[] = [];
for (const event of ['uncaughtException', 'unhandledRejection'] as const)
  process.on(event, (thrown: unknown) => {
    crashes.push(thrown instanceof Error ? String(thrown.stack).slice(0, 1500) : String(thrown));
  });

const started = performance.now();
const clock = fastClock(20);
setClock(clock);
setConfig(
  readConfig(
    {
      ADMIN_IDS: ADMINS.join(','),
      SERVICES_WHITELIST: 'nginx,web',
      SERVER_NAME: 'fuzz',
      SCRIPTS_FILE: `${folder}/none.yaml`,
      PING_FAVORITES: '127.0.0.1',
    },
    folder,
  ),
);
const house = await openHouse(careless === 'careless');
const people = new People(new Dice(Number(seed)), {
  admins: ADMINS,
  strangers: STRANGERS,
  now: clock.now,
  seed: Number(seed),
});
const commands = door.list();
const kinds: Record<string, number> = {};
const asked: Record<string, number> = {};
const wanted: Sent[] = [];
/** Ids of what admins have pressed. */
const mayPress = new Set<string>();

const give = async (draw: () => Sent, times: number) => {
  for (let done = 0; done < times; done++) {
    const sent = draw();
    kinds[sent.kind] = (kinds[sent.kind] ?? 0) + 1;
    if (sent.wants) {
      wanted.push(sent);
      const name = /^\/(\w+)/.exec(sent.line ?? '')?.[1] ?? '';
      const found = door.find(name)?.spec.name ?? '?';
      asked[found] = (asked[found] ?? 0) + 1;
    }
    const origin = sent.msg.originalMessage as { id?: unknown; from?: { id?: unknown } } | undefined;
    if (ADMINS.includes(Number(origin?.from?.id))) mayPress.add(String(origin?.id));
    house.give(sent.msg);
    if (done % BATCH === BATCH - 1) {
      await allKept(AbortSignal.timeout(10_000));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  await allKept(AbortSignal.timeout(10_000));
};

await sleep(300);
const quiet = { calls: house.calls.length, effects: effects.length };
await give(() => people.fromStranger(commands, house.calls), STRANGERS_FIRST);
await sleep(200);
const forStrangers = [
  ...house.calls.slice(quiet.calls).map(({ method, chat }) => `${method} to ${chat}`),
  ...effects.slice(quiet.effects).map(({ kind, what }) => `${kind} ${what}`),
  ...house.changes.map(({ node }) => `change at ${node}`),
];
// Each command at least a few times, whatever chance brings.
for (const spec of commands)
  for (const line of [
    `/${spec.name}`,
    `/${spec.name} --help`,
    `/${spec.name} ${'x'.repeat(5000)}`,
    `/${spec.name} 1 2 3`,
  ])
    await give(() => people.command(ADMINS[wanted.length % ADMINS.length] as number, line), 1);
/** Asks for a change and says yes to the question, if there is one: by the wrong person first, then right, then again. */
const insist = async (line: string) => {
  const user = ADMINS[wanted.length % ADMINS.length] as number;
  const other = ADMINS[(wanted.length + 1) % ADMINS.length] as number;
  const from = house.calls.length;
  await give(() => people.command(user, line), 1);
  for (let turn = 0; turn < 15; turn++) {
    await sleep(10);
    const asked = house.calls.slice(from).filter(({ chat }) => chat === user);
    const data = asked.flatMap(({ buttons }) => buttons).find((one) => one.startsWith('ok:'));
    if (!data) continue;
    for (const who of [other, user, user]) await give(() => people.pressed(who, data), 1);
    return;
  }
};
for (const spec of commands.filter(({ changes }) => changes))
  for (let time = 0; time < 3; time++) await insist(people.lineOf(spec));
for (const line of ['/svc restart nginx', '/svc stop web', '/broadcast hello', '/siar satu\ndua'])
  await insist(line);
const rest = Number(count) - Object.values(kinds).reduce((sum, one) => sum + one, 0);
await give(() => people.next(commands, house.calls), Math.max(0, rest));
// One who does not stop, faster than even this clock runs.
const flooding = ADMINS.at(-1) as number;
const before = house.calls.length;
for (let i = 0; i < FLOOD; i++) house.give(people.command(flooding, '/help').msg);
await allKept(AbortSignal.timeout(10_000));
await sleep(300);
const flooded = house.calls.slice(before).filter(({ chat }) => chat === flooding).length;

const ids = wanted.flatMap(({ wants }) => wants ?? []);
const open = async () => {
  const rows = await house.db.selectFrom('requests').select(['id', 'answered_at', 'state']).execute();
  const known = new Map(rows.map((row) => [row.id, row]));
  return { known, left: ids.filter((id) => known.has(id) && known.get(id)?.answered_at === null) };
};
for (const end = performance.now() + 20_000; performance.now() < end; await sleep(200)) {
  if ((await open()).left.length > 0) continue;
  if (
    await house.db
      .selectFrom('outbox')
      .select('id')
      .where('state', 'in', ['queued', 'sending'])
      .executeTakeFirst()
  )
    continue;
  break;
}
const { known, left } = await open();
const audit = await house.db.selectFrom('audit').selectAll().execute();
const limited = audit.filter(({ result }) => result === 'limited').length;
// No message of Telegram is so long, so the gate takes it for a forgery.
const LONGEST = 8192;
const tooLong = new Set(
  wanted.flatMap(({ wants, line = '' }) => (wants && line.length > LONGEST ? [wants] : [])),
);
const heldBack = ids.filter((id) => !known.has(id) && !tooLong.has(id));
const lineOf = (id: string) => wanted.find(({ wants }) => wants === id)?.line?.slice(0, 80) ?? id;
// Only who was told so is held back; its flood is then silent until it is calm.
const toldOf = new Set(audit.filter(({ result }) => result === 'limited').map(({ user_id }) => user_id));
const lost = heldBack.filter((id) => !toldOf.has(Number(id.split(':')[0])));

const answers = await house.db.selectFrom('confirmations').selectAll().where('state', '=', 'yes').execute();
const yes = new Map(answers.map((row) => [row.id, row]));
const used = new Set<string>();
const unlawful = house.changes.flatMap(({ node, action, request, confirmed }) => {
  const what = `${node} (${action}) for ${JSON.stringify(request)}`;
  if (!request) return [];
  const question = confirmed === undefined ? undefined : yes.get(confirmed);
  if (!question) return [`${what}: nobody has said yes`];
  if (question.user_id !== request.user || !ADMINS.includes(request.user)) return [`${what}: another's yes`];
  const mark = `${confirmed} ${node}`;
  if (used.has(mark)) return [`${what}: the same yes again`];
  used.add(mark);
  return [];
});
const failures: Record<string, number> = {};
for (const { draft } of await house.db.selectFrom('outbox').select('draft').execute()) {
  const { outcome } = JSON.parse(draft);
  if (outcome && outcome !== 'ok') failures[outcome] = (failures[outcome] ?? 0) + 1;
}
const tally: Record<string, number> = {};
for (const { kind } of effects) tally[kind] = (tally[kind] ?? 0) + 1;
const loggedStrangers = new Set(
  audit.flatMap(({ user_id, event }) =>
    event === 'refused' && STRANGERS.includes(Number(user_id)) ? [user_id] : [],
  ),
);
const report: Report = {
  updates: Object.values(kinds).reduce((sum, one) => sum + one, 0),
  kinds,
  commands: commands.map(({ name }) => name),
  asked,
  crashes,
  forStrangers,
  strangersLogged: loggedStrangers.size,
  wrongChats: [
    ...new Set(
      house.calls.flatMap(({ chat }) => (chat !== undefined && !ADMINS.includes(chat) ? [chat] : [])),
    ),
  ],
  wrongPresses: house.calls.flatMap(({ press }) => (press && !mayPress.has(press) ? [press] : [])),
  changes: house.changes.length,
  unlawful,
  unanswered: [
    ...left.map((id) => `not answered: ${lineOf(id)}`),
    ...lost.map((id) => `not taken: ${lineOf(id)}`),
  ],
  answered: ids.length - left.length - heldBack.length - tooLong.size,
  limited,
  flooded,
  failures,
  effects: tally,
  seconds: (performance.now() - started) / 1000,
};
process.stdout.write(`\n@@${JSON.stringify(report)}`);
process.exit(0);

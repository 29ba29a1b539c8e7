// Sends a broadcast on Potion's own Telegram tab, or takes it up again, and ends without a goodbye at a step:
// `crash-broadcast.ts <url> <database> <admins> <step>`. A step is a write to the database that has just become
// lasting, or a message that is just being handed to Telegram; 0: none, then it waits for the end and prints it.
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase } from '../../nodes/state/database.js';
import { startTelegramTab } from './telegram-tab.ts';

const [url = '', file = '', admins = '', crashAt = '0'] = process.argv.slice(2);
const author = Number(admins.split(',')[0]);
let step = 0;
let counting = false;

function count(): void {
  if (counting && ++step === Number(crashAt)) process.kill(process.pid, 'SIGKILL');
}

const prepare = DatabaseSync.prototype.prepare;
DatabaseSync.prototype.prepare = function (this: DatabaseSync, sql: string) {
  const statement = prepare.call(this, sql);
  if (!/^\s*(insert|update|delete|commit)/i.test(sql)) return statement;
  for (const name of ['run', 'all'] as const) {
    const work = statement[name].bind(statement) as (...values: never[]) => never;
    Object.assign(statement, {
      [name]: (...values: never[]) => {
        const result = work(...values);
        // Inside a transaction it is as if it had never begun.
        if (!this.isTransaction) count();
        return result;
      },
    });
  }
  return statement;
};

const inner = globalThis.fetch;
globalThis.fetch = (to, init) => {
  count();
  return inner(to, init);
};

const db = await openDatabase(file);
const known = await db.selectFrom('broadcast_jobs').select('id').executeTakeFirst();
const limits = { 'tg-outbox': { answerWithin: 2 }, 'tg-bot': { updatemode: 'none' } };
counting = known === undefined;
const flow = await startTelegramTab(url, { ADMIN_IDS: admins }, db, limits);
if (!known) {
  const request = { id: 'cb:1', user: author, chat: author, command: 'broadcast', args: [], startedAt: 1 };
  flow.give('tg-broadcast-send', { payload: { text: 'halo' }, request });
}
for (const end = Date.now() + 15_000; Date.now() < end; await sleep(20)) {
  const job = await db.selectFrom('broadcast_jobs').select('ended_at').executeTakeFirst();
  const left = await db
    .selectFrom('outbox')
    .select('id')
    .where('state', 'in', ['queued', 'sending'])
    .executeTakeFirst();
  const told = await db.selectFrom('outbox').select('id').where('dedupe', 'like', '%over').executeTakeFirst();
  if (job?.ended_at && told && !left) break;
}
const targets = await db.selectFrom('broadcast_targets').selectAll().orderBy('target').execute();
process.stdout.write(JSON.stringify({ step, targets }));
process.exit(0);

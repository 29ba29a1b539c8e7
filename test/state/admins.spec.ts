import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { config, readConfig, setConfig } from '../../nodes/kit/config.js';
import { toPotionError } from '../../nodes/kit/errors.js';
import { dismiss } from '../../nodes/state/admins.js';
import { type Database, openDatabase } from '../../nodes/state/database.js';
import {
  expireInvitations,
  INVITED_FOR,
  invite,
  markAsked,
  openInvitation,
  respond,
  withdraw,
} from '../../nodes/state/invitations.js';
import { changeSettings, takeUp } from '../../nodes/state/live.js';

const START = Date.UTC(2026, 0, 1);
const PEOPLE = [1, 2, 3, 4, 5];

/** A chat's view of the rules: what people try, in any order, with restarts and time between. */
class World {
  readonly db: Database;
  readonly home: string;
  now = START;
  #updates = 0;
  #tokens = 0;

  constructor(db: Database, home: string) {
    this.db = db;
    this.home = home;
  }

  async invite(by: number, user: number): Promise<string | undefined> {
    const token = `t${this.#tokens++}`;
    return attempt(async () => (await invite(this.db, { user, by, token, at: this.now })).token);
  }

  /** The person writes, and so is asked if there is an invitation. */
  async write(user: number): Promise<string | undefined> {
    const open = await openInvitation(this.db, user, this.now);
    if (open?.state !== 'open') return undefined;
    return (await markAsked(this.db, open.token, this.#request(user))) ? open.token : undefined;
  }

  respond(user: number, token: string, yes: boolean) {
    return respond(this.db, token, yes, this.#request(user));
  }

  remove(by: number, user: number): Promise<boolean | undefined> {
    return attempt(async () => {
      await changeSettings(this.db, { user: by, at: this.now }, (kept, given) => dismiss(kept, given, user));
      return true;
    });
  }

  /** As a start: only what is stored and what the environment gives counts. */
  async restart(ids: readonly number[]): Promise<void> {
    setConfig(undefined);
    setConfig(readConfig({ ADMIN_IDS: ids.join(',') }, this.home));
    await takeUp(this.db);
  }

  #request(user: number) {
    const id = `u${this.#updates++}`;
    const request = { id, user, chat: user, command: '', args: [], startedAt: this.now };
    return { request, changes: false, message: { request }, at: this.now };
  }
}

async function attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (thrown) {
    assert.match(toPotionError(thrown).code, /^(DENIED|INVALID|NOT_FOUND)$/);
    return undefined;
  }
}

const person = fc.constantFrom(...PEOPLE);
const step = fc.oneof(
  fc.record({ do: fc.constant('invite' as const), by: person, user: person }),
  fc.record({ do: fc.constant('write' as const), user: person }),
  // Somebody presses a button, one's own or one forged with the token of another.
  fc.record({ do: fc.constant('press' as const), user: person, of: person, yes: fc.boolean() }),
  fc.record({ do: fc.constant('remove' as const), by: person, user: person }),
  fc.record({ do: fc.constant('withdraw' as const), user: person }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1000, INVITED_FOR / 2, INVITED_FOR) }),
  fc.record({ do: fc.constant('restart' as const) }),
);

describe('the rules about admins', function () {
  this.timeout(60_000);
  let home: string;
  before(() => {
    home = mkdtempSync(join(tmpdir(), 'admins-'));
  });
  after(() => {
    setConfig(undefined);
    rmSync(home, { recursive: true });
  });

  async function world(ids: readonly number[] = [1]): Promise<World> {
    const made = new World(await openDatabase(':memory:'), home);
    await made.restart(ids);
    return made;
  }

  it('whatever is tried: there is always an admin, and nobody becomes one without an own yes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom([1], [1, 2]),
        fc.array(step, { maxLength: 40 }),
        async (ids, steps) => {
          const all = await world(ids);
          try {
            /** The newest invitation of each person, when it was made and by whom, and whether they were asked. */
            const open = new Map<number, { token: string; by: number; at: number; asked: boolean }>();
            const admins = new Set<number>(ids);
            for (const one of steps) {
              if (one.do === 'invite') {
                const token = await all.invite(one.by, one.user);
                assert.equal(token !== undefined, admins.has(one.by) && !admins.has(one.user));
                if (token) open.set(one.user, { token, by: one.by, at: all.now, asked: false });
              } else if (one.do === 'write') {
                const asked = (await all.write(one.user)) !== undefined;
                const invitation = open.get(one.user);
                if (asked && invitation) invitation.asked = true;
                if (asked) assert.ok(invitation, 'only who was invited is asked');
              } else if (one.do === 'press') {
                const invitation = open.get(one.of);
                const outcome = await all.respond(one.user, invitation?.token ?? 'none', one.yes);
                const isValid =
                  invitation?.asked === true &&
                  one.user === one.of &&
                  admins.has(invitation.by) &&
                  all.now < invitation.at + INVITED_FOR;
                assert.equal(outcome, isValid ? (one.yes ? 'accepted' : 'declined') : 'void');
                if (isValid) open.delete(one.of);
                if (isValid && one.yes) admins.add(one.user);
              } else if (one.do === 'remove') {
                const removed = await all.remove(one.by, one.user);
                assert.equal(removed === true, admins.has(one.user) && admins.size > 1);
                if (removed) admins.delete(one.user);
              } else if (one.do === 'withdraw') {
                await withdraw(all.db, one.user, 1, all.now);
                open.delete(one.user);
              } else if (one.do === 'wait') {
                all.now += one.ms;
                await expireInvitations(all.db, all.now);
              } else await all.restart(ids);
              assert.deepEqual([...config().adminIds].sort(), [...admins].sort());
              assert.ok(config().adminIds.length > 0);
            }
          } finally {
            await all.db.destroy();
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('who stood in ADMIN_IDS and was removed in the chat stays out after a start', async () => {
    const all = await world([1, 2]);
    assert.equal(await all.remove(1, 2), true);
    await all.restart([1, 2]);
    assert.deepEqual(config().adminIds, [1]);
    await all.db.destroy();
  });

  it('an invitation counts once, and no more when its inviter was removed', async () => {
    const all = await world([1, 2]);
    const token = (await all.invite(2, 3)) ?? '';
    await all.write(3);
    await all.remove(1, 2);
    assert.equal(await all.respond(3, token, true), 'void');
    const again = (await all.invite(1, 3)) ?? '';
    await all.write(3);
    assert.equal(await all.respond(3, again, true), 'accepted');
    assert.equal(await all.respond(3, again, true), 'void');
    await all.db.destroy();
  });

  it('two admins who remove each other at the same moment: one stays', async () => {
    const all = await world([1, 2]);
    await Promise.all([all.remove(1, 2), all.remove(2, 1)]);
    assert.equal(config().adminIds.length, 1);
    await all.db.destroy();
  });

  it('every step leaves an audit entry', async () => {
    const all = await world([1]);
    const token = (await all.invite(1, 3)) ?? '';
    await all.write(3);
    await all.respond(3, token, true);
    const rows = await all.db.selectFrom('audit').selectAll().orderBy('id').execute();
    assert.deepEqual(
      rows.map(({ user_id, event, action, target, result }) => [user_id, event, action, target, result]),
      [
        [1, 'invite', 'admin', '3', 'invited'],
        [3, 'invite', 'admin', '3', 'asked'],
        [3, 'setting', 'admin.3', null, 'changed'],
        [3, 'invite', 'admin', '3', 'accepted'],
      ],
    );
    await all.db.destroy();
  });
});

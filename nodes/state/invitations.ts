import { config, givenConfig } from '../kit/config.js';
import { PotionError } from '../kit/errors.js';
import { adminsNow, admit } from './admins.js';
import { type AuditEntry, audit, auditLine, auditRow } from './audit.js';
import type { Database } from './database.js';
import { applyEdits, takeUp } from './live.js';
import { insert, type NewRequest } from './requests.js';
import type { InvitationTable } from './schema.js';
import { keptSettings } from './settings.js';

/** How long an invited person has to confirm from the own account, ms. */
export const INVITED_FOR = 600_000;

/** Someone who was asked to become an admin. */
export interface Invitation {
  /** Telegram user id of who was invited. */
  user: number;
  /** Stands in the buttons of the question. */
  token: string;
  /** Telegram user id of the admin who invited. */
  by: number;
  /** Epoch ms. */
  createdAt: number;
  expiresAt: number;
  state: InvitationTable['state'];
}

/** What became of an answer. `void`: there is no such invitation any more; `known`: this press came before. */
export type Response = 'accepted' | 'declined' | 'void' | 'known';

const OPEN = ['open', 'asked'] as const;

/**
 * Invites a person, in place of an earlier invitation. It gives no right by itself.
 * @param token at least 128 bits that cannot be guessed, at most 40 characters of [A-Za-z0-9_-]
 * @throws PotionError INVALID for who is an admin already, DENIED when the inviter is none
 */
export async function invite(
  db: Database,
  { user, by, token, at }: { user: number; by: number; token: string; at: number },
): Promise<Invitation> {
  const row = {
    token,
    invited_by: by,
    created_at: at,
    expires_at: at + INVITED_FOR,
    state: 'open' as const,
    ended_at: null,
  };
  const entry = entryOf('invited', by, user, at);
  await db.transaction().execute(async (trx) => {
    const admins = adminsNow(await keptSettings(trx), givenConfig());
    if (!admins.includes(by)) throw new PotionError('DENIED', 'errors.no-admin', { id: by });
    if (admins.includes(user)) throw new PotionError('INVALID', 'errors.admin-already', { id: user });
    await trx
      .insertInto('invitations')
      .values({ user_id: user, ...row })
      .onConflict((conflict) => conflict.column('user_id').doUpdateSet(row))
      .execute();
    await auditRow(trx, entry);
  });
  auditLine(entry);
  return fromRow({ user_id: user, ...row });
}

/** The invitation that a person may still answer. One whose inviter is no admin any more counts for nothing. */
export async function openInvitation(
  db: Database,
  user: number,
  now: number,
): Promise<Invitation | undefined> {
  const open = await openInvitations(db, now, user);
  return open[0];
}

/** All that may still be answered, the oldest first. */
export async function openInvitations(db: Database, now: number, user?: number): Promise<Invitation[]> {
  let query = db
    .selectFrom('invitations')
    .selectAll()
    .where('state', 'in', OPEN)
    .where('expires_at', '>', now)
    .orderBy('created_at');
  if (user !== undefined) query = query.where('user_id', '=', user);
  const rows = await query.execute();
  return rows.map(fromRow).filter(({ by }) => config().adminIds.includes(by));
}

/**
 * Keeps, with full sync, that the invited person is being asked, and the message that they wrote.
 * @returns false when that was done before
 */
export async function markAsked(db: Database, token: string, asking: NewRequest): Promise<boolean> {
  const entry = entryOf('asked', asking.request.user, asking.request.user, asking.at);
  const isNew = await db.transaction().execute(async (trx) => {
    const { numUpdatedRows } = await trx
      .updateTable('invitations')
      .set({ state: 'asked' })
      .where('token', '=', token)
      .where('user_id', '=', asking.request.user)
      .where('state', '=', 'open')
      .executeTakeFirst();
    if (numUpdatedRows !== 1n || !(await insert(trx, asking))) return false;
    await auditRow(trx, entry);
    return true;
  });
  if (isNew) auditLine(entry);
  return isNew;
}

/**
 * Takes the invited person's own answer: the one way to become an admin. Invitation, right, audit and the
 * request change in one transaction, so that it counts once and is never forgotten.
 */
export async function respond(
  db: Database,
  token: string,
  yes: boolean,
  answer: NewRequest,
): Promise<Response> {
  const { at } = answer;
  const { user } = answer.request;
  const state = yes ? 'accepted' : 'declined';
  const entries: AuditEntry[] = [];
  const outcome = await db
    .transaction()
    .execute(async (trx): Promise<Response> => {
      const row = await trx
        .updateTable('invitations')
        .set({ state, ended_at: at })
        .where('token', '=', token)
        .where('user_id', '=', user)
        .where('state', '=', 'asked')
        .where('expires_at', '>', at)
        .returningAll()
        .executeTakeFirst();
      if (!row) return 'void';
      const admins = adminsNow(await keptSettings(trx), givenConfig());
      if (!admins.includes(row.invited_by)) throw new Undone('void');
      if (!(await insert(trx, answer))) throw new Undone('known');
      if (yes) entries.push(...(await applyEdits(trx, { user, at }, (...is) => admit(...is, user))));
      const entry = entryOf(state, user, user, at);
      await auditRow(trx, entry);
      entries.push(entry);
      return state;
    })
    .catch((thrown: unknown) => {
      if (thrown instanceof Undone) return thrown.outcome;
      throw thrown;
    });
  if (outcome === 'accepted') await takeUp(db);
  if (outcome === 'accepted' || outcome === 'declined') for (const entry of entries) auditLine(entry);
  return outcome;
}

/** Thrown to undo what the transaction has changed so far. */
class Undone extends Error {
  readonly outcome: Response;

  constructor(outcome: Response) {
    super(outcome);
    this.outcome = outcome;
  }
}

/** Ends those whose time is over. @returns them */
export async function expireInvitations(db: Database, now: number): Promise<Invitation[]> {
  const rows = await db
    .updateTable('invitations')
    .set({ state: 'expired', ended_at: now })
    .where('state', 'in', OPEN)
    .where('expires_at', '<=', now)
    .returningAll()
    .execute();
  for (const { user_id } of rows) await audit(db, entryOf('expired', null, user_id, now));
  return rows.map(fromRow);
}

/** An admin takes an invitation back. @returns whether there was one */
export async function withdraw(db: Database, user: number, by: number | null, at: number): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('invitations')
    .set({ state: 'withdrawn', ended_at: at })
    .where('user_id', '=', user)
    .where('state', 'in', OPEN)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) return false;
  await audit(db, entryOf('withdrawn', by, user, at));
  return true;
}

/** Those that ended after `since`, with what the admins are to hear of them. */
export async function endedInvitations(db: Database, since: number): Promise<Invitation[]> {
  const rows = await db
    .selectFrom('invitations')
    .selectAll()
    .where('state', 'in', ['accepted', 'declined', 'expired'])
    .where('ended_at', '>', since)
    .execute();
  return rows.map(fromRow);
}

function entryOf(result: string, user: number | null, invited: number, at: number): AuditEntry {
  return { at, user, event: 'invite', action: 'admin', target: String(invited), result };
}

function fromRow(row: InvitationTable): Invitation {
  return {
    user: row.user_id,
    token: row.token,
    by: row.invited_by,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    state: row.state,
  };
}

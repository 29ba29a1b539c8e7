import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** In order; a released one is never changed, the next change is a new one. */
export const migrations: Record<string, Migration> = {
  '0001-first': { up: first },
};

async function first(db: Kysely<unknown>): Promise<void> {
  const { schema } = db;
  await schema
    .createTable('outbox')
    .addColumn('id', 'integer', (c) => c.primaryKey().autoIncrement())
    .addColumn('chat', 'bigint', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('draft', 'text', (c) => c.notNull())
    .addColumn('slot', 'text')
    .addColumn('dedupe', 'text')
    .addColumn('broadcast', 'text')
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('due_at', 'bigint', (c) => c.notNull())
    .addColumn('tries', 'integer', (c) => c.notNull())
    .addColumn('parts_sent', 'integer', (c) => c.notNull())
    .addColumn('message_id', 'bigint')
    .addColumn('error', 'text')
    .addColumn('finished_at', 'bigint')
    .execute();
  await schema.createIndex('outbox_waiting').on('outbox').columns(['state', 'chat', 'id']).execute();
  await schema.createIndex('outbox_dedupe').on('outbox').columns(['chat', 'dedupe']).unique().execute();
  await schema
    .createTable('slots')
    .addColumn('chat', 'bigint', (c) => c.notNull())
    .addColumn('slot', 'text', (c) => c.notNull())
    .addColumn('message_id', 'bigint', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('slots_key', ['chat', 'slot'])
    .execute();
  await schema
    .createTable('requests')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('user_id', 'bigint', (c) => c.notNull())
    .addColumn('chat', 'bigint', (c) => c.notNull())
    .addColumn('command', 'text', (c) => c.notNull())
    .addColumn('changes', 'integer', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('message', 'text', (c) => c.notNull())
    .addColumn('received_at', 'bigint', (c) => c.notNull())
    .addColumn('answered_at', 'bigint')
    .execute();
  await schema.createIndex('requests_state').on('requests').columns(['state', 'received_at']).execute();
  await schema
    .createTable('confirmations')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('node', 'text', (c) => c.notNull())
    .addColumn('user_id', 'bigint', (c) => c.notNull())
    .addColumn('chat', 'bigint', (c) => c.notNull())
    .addColumn('target', 'text', (c) => c.notNull())
    .addColumn('message', 'text', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .execute();
  await schema
    .createTable('audit')
    .addColumn('id', 'integer', (c) => c.primaryKey().autoIncrement())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('user_id', 'bigint')
    .addColumn('event', 'text', (c) => c.notNull())
    .addColumn('action', 'text', (c) => c.notNull())
    .addColumn('target', 'text')
    .addColumn('result', 'text')
    .addColumn('detail', 'text')
    .execute();
  await schema.createIndex('audit_at').on('audit').column('at').execute();
  await schema
    .createTable('settings')
    .addColumn('key', 'text', (c) => c.primaryKey())
    .addColumn('value', 'text', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .addColumn('user_id', 'bigint')
    .execute();
  await schema
    .createTable('invitations')
    .addColumn('user_id', 'bigint', (c) => c.primaryKey())
    .addColumn('token', 'text', (c) => c.notNull())
    .addColumn('invited_by', 'bigint', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('ended_at', 'bigint')
    .execute();
  await perNode(db, 'alerts', 'series');
  await perNode(db, 'heals', 'unit');
  await schema
    .createTable('silences')
    .addColumn('code', 'text', (c) => c.primaryKey())
    .addColumn('until', 'bigint', (c) => c.notNull())
    .addColumn('user_id', 'bigint')
    .execute();
  await schema
    .createTable('lifecycle')
    .addColumn('id', 'integer', (c) => c.primaryKey())
    .addColumn('boot_id', 'text', (c) => c.notNull())
    .addColumn('started_at', 'bigint', (c) => c.notNull())
    .addColumn('alive_at', 'bigint', (c) => c.notNull())
    .addColumn('clean', 'integer', (c) => c.notNull())
    .execute();
  await schema
    .createTable('shortcuts')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('command', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .execute();
  await broadcasts(db);
}

async function broadcasts({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('broadcast_jobs')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('request', 'text', (c) => c.notNull())
    .addColumn('text', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('ended_at', 'bigint')
    .execute();
  await schema
    .createTable('broadcast_targets')
    .addColumn('job', 'text', (c) => c.notNull())
    .addColumn('target', 'bigint', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('error', 'text')
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('broadcast_targets_key', ['job', 'target'])
    .execute();
}

/** A table that keeps one state machine per node and series. */
function perNode(db: Kysely<unknown>, table: string, series: string): Promise<void> {
  return db.schema
    .createTable(table)
    .addColumn('node', 'text', (c) => c.notNull())
    .addColumn(series, 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint(`${table}_key`, ['node', series])
    .execute();
}

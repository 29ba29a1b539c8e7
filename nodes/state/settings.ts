import type { Database } from './database.js';

/** Where a value came from: a person's setting in the chat, `.env`, or the default of whoever asks. */
export type SettingSource = 'setting' | 'env' | 'default';

export interface Resolved<T> {
  value: T;
  source: SettingSource;
}

/** One thing that can be set. */
export interface Setting<T> {
  /** Keys in the table, the first that has a value counts: the particular one, then the general. */
  keys: readonly string[];
  /** Variables of the environment, likewise. */
  env?: readonly string[];
  fallback: T;
  /** Checks a stored value (plain JSON) or the text of a variable; undefined: of no use, as if it were not set. */
  parse(value: unknown): T | undefined;
}

/** Settings by key, as plain JSON. */
export type Stored = ReadonlyMap<string, unknown>;

type Environment = Readonly<Record<string, string | undefined>>;

/** What counts: a setting over the environment over the default. What makes no sense is passed over. */
export function resolveSetting<T>(setting: Setting<T>, stored: Stored, env: Environment): Resolved<T> {
  for (const key of setting.keys) {
    const value = stored.has(key) ? setting.parse(stored.get(key)) : undefined;
    if (value !== undefined) return { value, source: 'setting' };
  }
  for (const name of setting.env ?? []) {
    const value = env[name]?.trim() ? setting.parse(env[name]?.trim()) : undefined;
    if (value !== undefined) return { value, source: 'env' };
  }
  return { value: setting.fallback, source: 'default' };
}

/** All stored settings whose key begins so. Read each time they count, so that a change takes effect at once. */
export async function storedSettings(db: Database, prefix: string): Promise<Stored> {
  const rows = await db
    .selectFrom('settings')
    .select(['key', 'value'])
    .where('key', 'like', `${prefix}%`)
    .execute();
  // LIKE takes _ for any character, and SQLite's small letters for capitals.
  return new Map(
    rows.filter(({ key }) => key.startsWith(prefix)).flatMap(({ key, value }) => parsed(key, value)),
  );
}

// A row that is no JSON was not written here; it must not take the others with it.
function parsed(key: string, value: string): [string, unknown][] {
  try {
    return [[key, JSON.parse(value)]];
  } catch {
    return [];
  }
}

/** The value that counts now, and where it comes from. */
export async function readSetting<T>(
  db: Database,
  setting: Setting<T>,
  env: Environment = process.env,
): Promise<Resolved<T>> {
  const rows = await db
    .selectFrom('settings')
    .select(['key', 'value'])
    .where('key', 'in', setting.keys)
    .execute();
  return resolveSetting(setting, new Map(rows.flatMap(({ key, value }) => parsed(key, value))), env);
}

/** A stored setting, with who set it and when. */
export interface Kept extends Author {
  key: string;
  value: unknown;
}

/** Everything that is stored, by key; what is no JSON is left out. */
export async function keptSettings(db: Database): Promise<Kept[]> {
  const rows = await db.selectFrom('settings').selectAll().orderBy('key').execute();
  return rows.flatMap(({ key, value, user_id, updated_at }) =>
    parsed(key, value).map(([, plain]) => ({ key, value: plain, user: user_id, at: updated_at })),
  );
}

/** Who set it and when: Telegram user id (null: Potion itself), epoch ms. */
export interface Author {
  user: number | null;
  at: number;
}

/** Keeps a setting, plain JSON, with full sync. */
export async function writeSetting(
  db: Database,
  key: string,
  value: unknown,
  { user, at }: Author,
): Promise<void> {
  const row = { value: JSON.stringify(value), updated_at: at, user_id: user };
  await db
    .insertInto('settings')
    .values({ key, ...row })
    .onConflict((conflict) => conflict.column('key').doUpdateSet(row))
    .execute();
}

/** Takes a setting back. @returns whether there was one */
export async function removeSetting(db: Database, key: string): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom('settings').where('key', '=', key).executeTakeFirst();
  return numDeletedRows > 0n;
}

import type { Generated } from 'kysely';

/**
 * Tables of Potion's database. Times are epoch ms, booleans 0 or 1, objects JSON text, so that the same
 * queries run on PostgreSQL.
 */
export interface Schema {
  outbox: OutboxTable;
  slots: SlotTable;
  requests: RequestTable;
  confirmations: ConfirmationTable;
  audit: AuditTable;
  settings: SettingTable;
  invitations: InvitationTable;
  alerts: AlertTable;
  silences: SilenceTable;
  heals: HealTable;
  lifecycle: LifecycleTable;
  shortcuts: ShortcutTable;
  broadcast_jobs: BroadcastJobTable;
  broadcast_targets: BroadcastTargetTable;
}

/** Messages on their way to Telegram. */
export interface OutboxTable {
  id: Generated<number>;
  chat: number;
  kind: 'alert' | 'reply' | 'notice';
  /** A Draft as JSON. */
  draft: string;
  slot: string | null;
  /** Unique per chat: what was handed in twice is sent once. */
  dedupe: string | null;
  /** Job of the broadcast that it is one target's part of: such a row is handed to Telegram once at most. */
  broadcast: string | null;
  /**
   * `merged`: went out within another row; `dropped`: no space, counted in a digest; `error` says which row.
   * `failed`: Telegram refuses it for good.
   */
  state: 'queued' | 'sending' | 'sent' | 'merged' | 'dropped' | 'failed';
  created_at: number;
  /** Not before this time. */
  due_at: number;
  tries: number;
  /** Parts of a split message that Telegram has acknowledged. */
  parts_sent: number;
  message_id: number | null;
  error: string | null;
  finished_at: number | null;
}

/** The Telegram message that a slot (an incident, a request) has in a chat. */
export interface SlotTable {
  chat: number;
  slot: string;
  message_id: number;
  at: number;
}

/** Every update that passed the gate, so that none takes effect twice. */
export interface RequestTable {
  id: string;
  user_id: number;
  chat: number;
  command: string;
  /** 1 when the command changes something: it is never repeated by itself. */
  changes: number;
  state: 'received' | 'repeated' | 'asking' | 'answered' | 'interrupted';
  /** The message as it was handed to the command, as JSON. */
  message: string;
  received_at: number;
  answered_at: number | null;
}

/** Questions waiting for a yes; used once. */
export interface ConfirmationTable {
  id: string;
  node: string;
  user_id: number;
  chat: number;
  /** What was asked for, as a person would read it. */
  target: string;
  /** The message to go on with, as JSON. */
  message: string;
  expires_at: number;
  state: 'open' | 'yes' | 'no' | 'expired';
}

export interface AuditTable {
  id: Generated<number>;
  at: number;
  /** Telegram user id; null: Potion itself. */
  user_id: number | null;
  /** `request`, `refused`, `confirm`, `result` … */
  event: string;
  /** Command or action, e.g. `svc`. */
  action: string;
  target: string | null;
  result: string | null;
  /** More facts as JSON. */
  detail: string | null;
}

export interface SettingTable {
  key: string;
  /** JSON. */
  value: string;
  updated_at: number;
  /** Telegram user id of who set it. */
  user_id: number | null;
}

/** Who was asked to become an admin, one row per person. */
export interface InvitationTable {
  /** Telegram user id of who was invited. */
  user_id: number;
  /** Stands in the buttons of the question; cannot be guessed. */
  token: string;
  /** Telegram user id of the admin who invited. */
  invited_by: number;
  created_at: number;
  expires_at: number;
  /** `open`: nothing was heard of the person yet; `asked`: the question has gone out. */
  state: 'open' | 'asked' | 'accepted' | 'declined' | 'expired' | 'withdrawn';
  ended_at: number | null;
}

/** State of one alert series, so that a restart neither loses nor repeats an event. */
export interface AlertTable {
  /** Id of the alert node. */
  node: string;
  series: string;
  /** JSON of the state machine. */
  state: string;
  updated_at: number;
}

export interface SilenceTable {
  code: string;
  until: number;
  user_id: number | null;
}

/** Self-heal incidents with their restart budget. */
export interface HealTable {
  node: string;
  unit: string;
  state: string;
  updated_at: number;
}

/** One row: when Potion was last seen alive and how it ended. */
export interface LifecycleTable {
  id: number;
  boot_id: string;
  started_at: number;
  alive_at: number;
  /** 1 when Potion was stopped in order. */
  clean: number;
}

/** Command lines too long for the 64 bytes of callback data. */
export interface ShortcutTable {
  id: string;
  command: string;
  created_at: number;
}

/** One text for many chats. */
export interface BroadcastJobTable {
  /** Id of the request that confirmed it, so that one confirmation makes one job. */
  id: string;
  /** That request as JSON: whom to tell how it goes, and where. */
  request: string;
  text: string;
  created_at: number;
  /** When its last target had its end. */
  ended_at: number | null;
}

export interface BroadcastTargetTable {
  job: string;
  /** Telegram chat id. */
  target: number;
  /** `sending`: the outbox has it. `sent` and `failed` are final. */
  state: 'pending' | 'sending' | 'sent' | 'failed';
  /** Why it failed: `closed`, `unknown`, `refused`, `late` or `stopped`, and Telegram's words after a colon. */
  error: string | null;
  updated_at: number;
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Sandbox } from '../../ops/sandbox/server.js';
import type { Message } from '../../ops/sandbox/telegram.js';

/** A message of the bot as the person sees it. Plain JSON. */
export interface Seen {
  id: number;
  chat: number;
  /** Without markup; of a long answer all its messages, one below the other. */
  text: string;
  /** Labels of the inline buttons, row by row. */
  buttons: string[][];
  /** Labels of the keyboard below the chat, if the message brought one. */
  keyboard?: string[][];
  file?: { name: string; text: string };
  /** It came without a sound. */
  silent: boolean;
}

/** What Potion has made so far of one thing that a person sent. */
export interface Outcome {
  /** The gate has taken it as something that it will answer. */
  taken: boolean;
  /** The spinner of the pressed button has ended. */
  pressed: boolean;
  /** The word that came up then. */
  toast?: string;
  answer?: Seen;
  /** The outbox has given the answer up. */
  failed?: string;
}

/**
 * Both ends of the line to Potion: the person's phone, and what Potion's database says about which message
 * answers what. Everything in and out is plain JSON, so that it can run inside a machine.
 */
export class Exchange {
  readonly #sandbox: Sandbox;
  readonly #db: DatabaseSync;
  readonly #logDir: string;

  constructor(sandbox: Sandbox, dataDir: string, logDir: string) {
    this.#sandbox = sandbox;
    this.#db = new DatabaseSync(join(dataDir, 'potion.db'), { readOnly: true, timeout: 5000 });
    this.#logDir = logDir;
  }

  /** @returns id of the request that this is for Potion */
  say(text: string, user = this.#sandbox.user.id): string {
    const { chat, message_id, date } = this.#sandbox.say(text, { user });
    return `${chat.id}:${message_id}:${date}`;
  }

  /** @returns id of the request that this is for Potion */
  press(message: number, label: string, user = this.#sandbox.user.id): string {
    return `cb:${this.#sandbox.press(message, label, { user }).id}`;
  }

  outcome(request: string): Outcome {
    const press = request.startsWith('cb:') ? this.#sandbox.world.presses.get(request.slice(3)) : undefined;
    const taken = this.#db.prepare('SELECT 1 FROM requests WHERE id = ?').get(request) !== undefined;
    const row = this.#db
      .prepare(
        `SELECT chat, state, message_id, parts_sent, error FROM outbox
         WHERE json_extract(draft, '$.request') = ? AND coalesce(json_extract(draft, '$.interim'), 0) = 0
           AND state IN ('sent', 'failed') ORDER BY id LIMIT 1`,
      )
      .get(request);
    const answer =
      row?.state === 'sent'
        ? this.seen(Number(row.message_id), Number(row.chat), Number(row.parts_sent))
        : undefined;
    return {
      taken,
      pressed: press?.answer !== undefined,
      ...(press?.answer?.text ? { toast: press.answer.text } : {}),
      ...(answer ? { answer } : {}),
      ...(row?.state === 'failed' ? { failed: String(row.error) } : {}),
    };
  }

  /** A message of the bot as it stands now; undefined once it was deleted. */
  seen(id: number, chat = this.#sandbox.user.id, parts = 1): Seen | undefined {
    const own = this.#own(chat).filter((message) => message.message_id >= id);
    const [first] = own;
    if (first?.message_id !== id) return undefined;
    const all = own.slice(0, Math.max(1, parts));
    const entry = this.#sandbox.world.rooms.get(chat)?.entries.get(id);
    const markup = entry?.markup && 'keyboard' in entry.markup ? entry.markup.keyboard : undefined;
    const file = this.#file(first);
    return {
      id,
      chat,
      text: all.map(({ text, caption }) => text ?? caption ?? '').join('\n'),
      buttons: labels(all.at(-1)?.reply_markup?.inline_keyboard),
      silent: entry?.silent ?? false,
      ...(markup ? { keyboard: labels(markup) } : {}),
      ...(file ? { file } : {}),
    };
  }

  /** The bot's messages of a chat as they stand. */
  messages(chat = this.#sandbox.user.id): Seen[] {
    return this.#own(chat).flatMap(({ message_id }) => this.seen(message_id, chat) ?? []);
  }

  /** Every text that a message of the bot has had, oldest first. */
  history(id: number, chat = this.#sandbox.user.id): string[] {
    return this.#sandbox
      .chatLog(chat)
      .filter(({ what, message }) => message.message_id === id && what !== 'deleted')
      .map(({ message: { text, caption } }) => text ?? caption ?? '');
  }

  /** Lines of actions.log, oldest first. */
  audit(): string[] {
    return readFileSync(join(this.#logDir, 'actions.log'), 'utf8').split('\n').filter(Boolean);
  }

  close(): void {
    this.#db.close();
  }

  #own(chat: number): Message[] {
    return this.#sandbox.messages(chat).filter(({ from }) => from?.is_bot);
  }

  #file({ document }: Message): Seen['file'] {
    const stored = document && this.#sandbox.world.files.get(document.file_id);
    return stored && { name: stored.name, text: stored.content.toString('utf8') };
  }
}

function labels(rows: readonly (readonly { text: string }[])[] = []): string[][] {
  return rows.map((row) => row.map(({ text }) => text));
}

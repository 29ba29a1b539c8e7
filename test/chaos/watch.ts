import type { Message, RequestRecord, Sandbox } from '../../ops/sandbox/server.js';
import type { Journal } from './journal.ts';
import { type Delivery, keysOf } from './judge.ts';

const WRITING = new Set(['sendMessage', 'editMessageText']);

/** Keeps account of what Telegram has shown to the persons. */
export class Watch {
  readonly deliveries: Delivery[] = [];
  /** Texts that no one in the test asked for, by their first words: how often. */
  readonly others = new Map<string, number>();
  /** Number of the life that Potion is in. */
  life = 0;
  outages = 0;
  readonly #journal: Journal;
  readonly #open = new Map<number, Delivery>();

  constructor(sandbox: Sandbox, journal: Journal) {
    this.#journal = journal;
    sandbox.on('sent', (message) => this.#show(message));
    sandbox.on('edited', (message) => this.#show(message));
    sandbox.on('request', (record) => this.#settle(record));
  }

  #show(message: Message): void {
    const { text = '', chat, message_id } = message;
    const { life, outages } = this;
    const delivery: Delivery = { chat: chat.id, message: message_id, text, life, cut: false, outages };
    this.deliveries.push(delivery);
    this.#open.set(chat.id, delivery);
    const keys = keysOf(text);
    const words = text.replaceAll(/\d+/g, '0').replaceAll('\n', ' ').slice(0, 60);
    if (keys.length === 0) this.others.set(words, (this.others.get(words) ?? 0) + 1);
    this.#journal.note(
      `Telegram shows ${keys.join(' and ') || `“${words}”`} to ${chat.id} as message ${message_id}`,
    );
  }

  /** The record of a call follows what it has brought into the chat. */
  #settle({ method, params, status, description, fault }: RequestRecord): void {
    if (!WRITING.has(method)) return;
    const chat = Number(params.chat_id);
    const keys = keysOf(plain(String(params.text ?? ''))).join(' and ');
    if (status === 200) this.#open.delete(chat);
    else if (fault === 'cut') {
      const delivery = this.#open.get(chat);
      if (delivery) delivery.cut = true;
      this.#journal.note(`the answer about ${keys} to ${chat} is cut off`);
    } else
      this.#journal.note(
        `Telegram does not take ${keys} for ${chat}: ${fault ?? ''} ${description ?? status ?? ''}`,
      );
  }
}

function plain(html: string): string {
  return html.replaceAll(/<[^>]*>/g, '');
}

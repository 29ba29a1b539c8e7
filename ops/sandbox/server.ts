import { EventEmitter, once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Faults } from './faults.js';
import { type As, block, personOf, press, say, sendFile } from './person.js';
import type { Upload } from './request.js';
import { type RequestRecord, type Service, serve } from './serve.js';
import type { BotCommand, Message, User } from './telegram.js';
import { Webhook } from './webhook.js';
import { type Entry, type Press, World } from './world.js';

export * from './faults.js';
export type { As } from './person.js';
export type { RequestRecord } from './serve.js';
export type * from './telegram.js';
export { type Press, World } from './world.js';

const HOST = '127.0.0.1';
export interface SandboxOptions {
  /** `<bot id>:<35 characters>`; any other token is refused. */
  token: string;
  /** 0 takes a free one. */
  port?: number;
  /** The person whose chat exists from the start. */
  user?: User | number;
  /** The world of an earlier sandbox, to go on where it ended. */
  store?: World;
  /** Lines kept of `requests` and of the chat log, each; 20,000 if absent. */
  kept?: number;
}

/** One thing that happened, with the message as it was then. */
export interface LogLine {
  /** Epoch ms. */
  at: number;
  what: 'sent' | 'said' | 'edited' | 'deleted';
  message: Message;
  silent: boolean;
}

interface SandboxEvents {
  sent: [message: Message];
  said: [message: Message];
  edited: [message: Message];
  deleted: [message: Message];
  pressed: [press: Press];
  answered: [press: Press];
  request: [record: RequestRecord];
}

/** Starts a Bot API server on loopback with one bot and a person who talks to it. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const sandbox = new Sandbox(options);
  await sandbox.start();
  return sandbox;
}

/**
 * A Bot API server as Telegram runs it, for trying Potion out and for tests: it speaks the protocol, refuses
 * what Telegram refuses, and fails on purpose where `faults` say so. The methods here are the person's side.
 */
export class Sandbox extends EventEmitter<SandboxEvents> {
  readonly token: string;
  readonly world: World;
  readonly faults: Faults;
  /** The person who acts if no other is named. */
  readonly user: User;
  /** Every call of the bot, oldest first. */
  readonly requests: RequestRecord[] = [];
  readonly #log: LogLine[] = [];
  readonly #kept: number;
  readonly #server: Server;
  readonly #webhook: Webhook;
  readonly #forget: () => void;
  #port: number;
  #return: NodeJS.Timeout | undefined;
  #switching: Promise<void> = Promise.resolve();

  constructor({ token, port = 0, user, store, kept = 20_000 }: SandboxOptions) {
    super();
    this.setMaxListeners(0);
    this.#kept = kept;
    this.token = token;
    this.#port = port;
    this.world = store ?? new World(token);
    this.user = personOf(this.world, user ?? { id: 100_001, is_bot: false, first_name: 'Admin' });
    this.world.meet(this.user);
    this.#webhook = new Webhook(this.world.updates, this.world.now);
    this.faults = new Faults(
      this.world.now,
      (ms) => this.#down(ms),
      () => this.#up(),
    );
    const service: Service = {
      token,
      world: this.world,
      webhook: this.#webhook,
      faults: this.faults,
      requests: this.requests,
      kept,
      onRequest: (record) => this.emit('request', record),
    };
    this.#server = createServer((request, response) => void serve(service, request, response));
    this.#forget = this.#listen();
  }

  /** Where the bot finds it: what goes into `baseapiurl`. */
  get url(): string {
    return `http://${HOST}:${this.#port}`;
  }

  async start(): Promise<void> {
    this.#server.listen(this.#port, HOST);
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Ends the server and every open connection. The world can be given to another sandbox. */
  async stop(): Promise<void> {
    clearTimeout(this.#return);
    await this.#switching;
    this.faults.clear();
    this.#webhook.stop();
    this.#forget();
    await this.#close();
  }

  /** A person writes. */
  say(text: string, { user = this.user, chat, replyTo }: As & { replyTo?: number } = {}): Message {
    return say(this.world, text, { user, chat }, replyTo);
  }

  /** A person presses an inline button, given by its label or its callback data. */
  press(messageId: number, button: string, { user }: Pick<As, 'user'> = {}): Press {
    return press(this.world, messageId, button, user ?? this.user);
  }

  /** A person sends a file; with `photo` a picture goes as one. */
  sendFile(file: Upload, options: As & { caption?: string; photo?: boolean } = {}): Message {
    return sendFile(this.world, file, { ...options, user: options.user ?? this.user }, options);
  }

  /** A person blocks the bot, or no longer. */
  block(blocked = true, chat = this.user.id): void {
    const room = this.world.rooms.get(chat);
    if (!room) throw new Error(`there is no chat ${chat} to block the bot in`);
    block(this.world, room, blocked);
  }

  /** The messages of a chat as they stand now, oldest first, of bot and people. */
  messages(chat = this.user.id): Message[] {
    return [...(this.world.rooms.get(chat)?.entries.values() ?? [])].map(({ message }) => message);
  }

  /** What happened in a chat, in order, each with the message as it was then. */
  chatLog(chat = this.user.id): LogLine[] {
    return this.#log.filter(({ message }) => message.chat.id === chat);
  }

  /** The commands that a person sees on typing "/". */
  commands(chat = this.user.id, language?: string): BotCommand[] {
    return this.world.commands.shownTo(chat, language);
  }

  /** Delivers an update once more, as after a lost acknowledgement; the newest acknowledged one if no id is given. */
  redeliver(updateId = this.world.updates.lastAcknowledged): boolean {
    return updateId !== undefined && this.world.updates.redeliver(updateId);
  }

  /**
   * The first message of the bot, there or to come, sent or edited, that fits.
   * @throws Error after `ms`, with what was there instead
   */
  async waitFor(fits: (message: Message) => boolean, ms = 2000): Promise<Message> {
    const there = [...this.world.rooms.values()]
      .flatMap(({ entries }) => [...entries.values()])
      .find(({ own, message }) => own && fits(message));
    if (there) return there.message;
    return new Promise((resolve, reject) => {
      const look = (message: Message) => {
        if (fits(message)) end(() => resolve(message));
      };
      const timer = setTimeout(
        () => end(() => reject(new Error(`no such message within ${ms} ms; ${this.#last()}`))),
        ms,
      );
      const end = (settle: () => void) => {
        clearTimeout(timer);
        this.off('sent', look).off('edited', look);
        settle();
      };
      this.on('sent', look).on('edited', look);
    });
  }

  #last(): string {
    const lines = this.#log.slice(-5).map(({ what, message }) => `${what} ${JSON.stringify(message.text)}`);
    return `the last were: ${lines.join(' · ') || 'none'}`;
  }

  /** Passes the world's events on; returns what ends that. */
  #listen(): () => void {
    const { events } = this.world;
    const note = (what: LogLine['what']) => (entry: Entry) => {
      const message = structuredClone(entry.message);
      this.#log.push({ at: this.world.now(), what, message, silent: entry.silent });
      if (this.#log.length > this.#kept) this.#log.splice(0, this.#log.length - this.#kept);
      this.emit(what, message);
    };
    const kinds = ['sent', 'said', 'edited', 'deleted'] as const;
    const notes = kinds.map((what) => [what, note(what)] as const);
    const pressed = (press: Press) => this.emit('pressed', press);
    const answered = (press: Press) => this.emit('answered', press);
    for (const [what, listener] of notes) events.on(what, listener);
    events.on('pressed', pressed).on('answered', answered);
    return () => {
      for (const [what, listener] of notes) events.off(what, listener);
      events.off('pressed', pressed).off('answered', answered);
    };
  }

  async #down(ms: number | undefined): Promise<void> {
    clearTimeout(this.#return);
    if (ms !== undefined) this.#return = setTimeout(() => void this.#up(), ms);
    await this.#switch(() => this.#close());
  }

  async #up(): Promise<void> {
    clearTimeout(this.#return);
    await this.#switch(async () => {
      for (let left = 50; !this.#server.listening && left > 0; left--)
        // The port can be somebody else's for a moment: the other end of an outgoing connection.
        await this.start().catch(() => sleep(100));
    });
  }

  /** Opening and closing wait for each other. */
  #switch(work: () => Promise<void>): Promise<void> {
    this.#switching = this.#switching.then(work);
    return this.#switching;
  }

  async #close(): Promise<void> {
    this.world.updates.release();
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

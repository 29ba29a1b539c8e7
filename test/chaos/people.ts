import { setTimeout as sleep } from 'node:timers/promises';
import type { Message, Sandbox } from '../../ops/sandbox/server.js';
import type { Dice } from './dice.ts';
import type { Journal } from './journal.ts';
import { type Command, keysOf } from './judge.ts';

/** Updates that wait for Potion before its admins lose the wish to write more; the gate stops at 20 at once. */
const PATIENT = 12;

const KINDS = ['act', 'act', 'peek', 'peek', 'sure'] as const;

/** The admins: they write commands, say yes, sometimes twice. Some of what they do is delivered to Potion again. */
export class People {
  readonly commands: Command[] = [];
  /** Keys of questions that got a yes. */
  readonly pressed = new Set<string>();
  redelivered = 0;
  readonly #sandbox: Sandbox;
  readonly #dice: Dice;
  readonly #journal: Journal;
  readonly #users: readonly [number, ...number[]];
  readonly #underWay = new Set<Promise<void>>();
  readonly #counts = { act: 0, sure: 0, peek: 0 };
  #ending = false;

  constructor(sandbox: Sandbox, users: readonly [number, ...number[]], dice: Dice, journal: Journal) {
    this.#sandbox = sandbox;
    this.#users = users;
    this.#dice = dice;
    this.#journal = journal;
    for (const id of users) sandbox.world.meet({ id, is_bot: false, first_name: `Admin ${id}` });
    sandbox.on('sent', (message) => this.#read(message));
  }

  start(): void {
    this.#do(() => this.#write());
  }

  /** Writes nothing new, and waits for what was begun. */
  async stop(): Promise<void> {
    this.#ending = true;
    await this.settled();
  }

  /** Until no press and no redelivery is to come. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  async #write(): Promise<void> {
    while (!this.#ending) {
      await sleep(this.#dice.between(250, 700));
      if (this.#ending || this.#sandbox.world.updates.pending.length >= PATIENT) continue;
      const kind = this.#dice.one(KINDS);
      const user = this.#dice.one(this.#users);
      const n = ++this.#counts[kind];
      this.commands.push({ kind, n, chat: user });
      this.#journal.note(`${user} writes ${kind} ${n}`);
      this.#sandbox.say(`/${kind} ${n}`, { user });
      this.#perhapsAgain(`${kind} ${n}`, n);
    }
  }

  /** Only every other one: an update that Potion loses must not be mended by chance. */
  #perhapsAgain(key: string, n: number): void {
    const { updates } = this.#sandbox.world;
    const id = updates.lastId;
    if (n % 2 === 1 || this.#dice.hits(0.3)) return;
    this.#do(async () => {
      await sleep(this.#dice.between(50, 4000));
      if (!this.#sandbox.redeliver(id)) return;
      this.redelivered++;
      this.#journal.note(`${key} is delivered to Potion once more`);
    });
  }

  #read({ text = '', chat, message_id, reply_markup }: Message): void {
    const asked = keysOf(text).find((key) => key.endsWith('asked'));
    const yes = reply_markup?.inline_keyboard[0]?.[0]?.callback_data;
    if (!asked || !yes) return;
    const key = asked.replace(' asked', '');
    this.#do(async () => {
      await sleep(this.#dice.between(0, 2500));
      this.#press(key, chat.id, message_id, yes);
      if (!this.#dice.hits(0.5)) return;
      await sleep(this.#dice.between(0, 1500));
      this.#press(key, chat.id, message_id, yes);
    });
  }

  #press(key: string, user: number, message: number, yes: string): void {
    try {
      this.#sandbox.press(message, yes, { user });
    } catch {
      // The answer has taken the place of the question, and its buttons are gone.
      return;
    }
    this.pressed.add(key);
    this.#journal.note(`${key} gets a yes below message ${message}`);
    this.#perhapsAgain(`the yes to ${key}`, Number(/\d+/.exec(key)));
  }

  #do(work: () => Promise<void>): void {
    const done = work().finally(() => this.#underWay.delete(done));
    this.#underWay.add(done);
  }
}

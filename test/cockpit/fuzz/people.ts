import fc from 'fast-check';
import type { CommandSpec } from '../../../nodes/kit/door.js';
import type { Message } from '../../../nodes/kit/messages.js';
import type { Dice } from '../../chaos/dice.ts';
import { message, press, updates } from '../../support/updates.ts';
import type { Call } from './house.ts';

/** An update, and what is known of it. */
export interface Sent {
  msg: Message;
  kind: string;
  /** The command line of an admin in the own chat, which wants an answer: its request's id. */
  wants?: string;
  line?: string;
}

const ODD_TEXTS = [
  ...[
    '',
    ' ',
    '/',
    '//',
    '/ ',
    '\u0000',
    '\u202e/reboot',
    '／reboot',
    '/rebоot',
    '🤖',
    'YA',
    'ya!',
    'Tidak',
    'no',
  ],
  ...['#', '#abc', 'ok:', 'no:', 'ok:x', '/start@OtherBot', '/help@potion', '/HELP', '/status\n/reboot'],
  ...[
    'e\u0301'.repeat(200),
    '\ud800',
    '👨‍👩‍👧‍👦'.repeat(300),
    '<b>x',
    '{{ payload }}',
    '{% raw %}',
    '%s%n',
    '\u200f\u200e',
  ],
];
const ODD_WORDS = [
  ...[
    '--help',
    '-rf',
    '--',
    '-',
    '-1',
    '..',
    '../../etc/passwd',
    '/etc/shadow',
    '~',
    '*',
    '$(id)',
    '`id`',
    '; id',
    '| sh',
  ],
  ...[
    '&&',
    '"',
    "'",
    '“',
    '\\',
    '\u0000',
    '\u202e',
    '0',
    '-0',
    '1e9',
    '999999999999999999999',
    'NaN',
    'null',
    'true',
  ],
  ...[
    '__proto__',
    'constructor',
    '{{x}}',
    'nginx',
    'nginx.service',
    'nginx.service ',
    'NGINX',
    'web@',
    'cpu',
    'all',
    '1',
  ],
  ...[
    '２',
    '1 2',
    'a=b',
    'ё',
    '٣',
    '🔥',
    'x'.repeat(300),
    '127.0.0.1',
    '::1',
    '999.1.1.1',
    'localhost',
    '10:61',
    '24.00',
  ],
];

/** Admins and strangers at their worst. All that they do follows from the seed. */
export class People {
  readonly #dice: Dice;
  readonly #admins: readonly [number, ...number[]];
  readonly #strangers: readonly [number, ...number[]];
  readonly #now: () => number;
  readonly #shapes: Message[];
  readonly #said: Sent[] = [];
  #id = 1;

  constructor(
    dice: Dice,
    {
      admins,
      strangers,
      now,
      seed,
    }: { admins: number[]; strangers: number[]; now: () => number; seed: number },
  ) {
    this.#dice = dice;
    this.#admins = admins as [number, ...number[]];
    this.#strangers = strangers as [number, ...number[]];
    this.#now = now;
    const people = [...admins.slice(0, 5), ...strangers.slice(0, 5)];
    this.#shapes = fc.sample(updates(people, now()), { numRuns: 1500, seed });
  }

  /** From somebody who has no business here. */
  fromStranger(commands: readonly CommandSpec[], calls: readonly Call[]): Sent {
    const user = this.#dice.one(this.#strangers);
    const way = this.#dice.between(0, 3);
    if (way === 0)
      return { kind: 'stranger presses', msg: this.#press(user, this.#someData(commands, calls)) };
    const line = this.#line(commands);
    const more = way === 1 ? this.#oddSigns() : {};
    return { kind: 'stranger', msg: message(user, line, this.#id++, this.#now(), more) };
  }

  /** From anybody, mostly admins. */
  next(commands: readonly CommandSpec[], calls: readonly Call[]): Sent {
    const sent = this.#draw(commands, calls);
    if (this.#said.length < 400) this.#said.push(sent);
    else this.#said[this.#dice.between(0, 399)] = sent;
    return sent;
  }

  #draw(commands: readonly CommandSpec[], calls: readonly Call[]): Sent {
    const user = this.#dice.one(this.#admins);
    const roll = this.#dice.between(1, 100);
    if (roll <= 45) return this.command(user, this.#line(commands));
    if (roll <= 57) return this.#pressOwn(calls) ?? this.command(user, '/help');
    if (roll <= 63)
      return {
        kind: 'admin presses what is not theirs',
        msg: this.#press(user, this.#someData(commands, calls)),
      };
    if (roll <= 70) return this.#again() ?? this.command(user, '/status');
    if (roll <= 74)
      return {
        kind: 'admin, with odd signs',
        msg: message(user, this.#line(commands), this.#id++, this.#now(), this.#oddSigns()),
      };
    if (roll <= 78)
      return {
        kind: 'admin, odd text',
        msg: message(user, this.#dice.one(ODD_TEXTS as never), this.#id++, this.#now()),
      };
    if (roll <= 80) return this.#late(user, commands);
    if (roll <= 86) return this.fromStranger(commands, calls);
    return { kind: 'a shape of its own', msg: this.#dice.one(this.#shapes as never) };
  }

  /** A press of this button. */
  pressed(user: number, data: string): Sent {
    return { kind: 'admin presses', msg: this.#press(user, data), line: data };
  }

  /** A line of this command, right or wrong. */
  lineOf(spec: CommandSpec): string {
    return this.#line([spec]);
  }

  /** A well-formed line of an admin in the own chat. */
  command(user: number, line: string): Sent {
    const at = this.#now();
    const id = this.#id++;
    const wants = `${user}:${id}:${Math.floor(at / 1000)}`;
    return { kind: 'command', msg: message(user, line, id, at), wants, line };
  }

  #line(commands: readonly CommandSpec[]): string {
    const spec = this.#dice.one(commands as never) as CommandSpec;
    const name = this.#dice.one([spec.name, ...spec.aliases] as [string, ...string[]]);
    if (this.#dice.hits(0.03)) return `/${name} ${'x'.repeat(this.#dice.between(4000, 9000))}`;
    const words = Array.from({ length: this.#dice.between(0, 3) }, (_, i) => this.#word(spec, i));
    return [`/${name}`, ...words].join(' ');
  }

  /** One that fits the usage as often as not. */
  #word(spec: CommandSpec, place: number): string {
    const slots = [...spec.usage.matchAll(/[<[]([^>\]]+)[>\]]/g)].map(([, slot]) => slot as string);
    const slot = slots[place % Math.max(1, slots.length)] ?? '';
    if (this.#dice.hits(0.45)) return this.#dice.one(ODD_WORDS as never);
    if (slot.includes('|')) return this.#dice.one(slot.split('|') as [string, ...string[]]);
    if (/unit|service/.test(slot)) return 'nginx';
    if (/pid|lines|page|minutes|seconds|count|start|start/.test(slot))
      return String(this.#dice.between(0, 500));
    if (/metric|code/.test(slot)) return this.#dice.one(['cpu', 'memory', 'temperature', 'disk:/']);
    if (/host/.test(slot)) return 'localhost';
    return this.#dice.one(['10', '50%', '02:30', 'id', 'runtime', 'cpu', 'hello']);
  }

  #someData(commands: readonly CommandSpec[], calls: readonly Call[]): string {
    const known = calls.slice(-300).flatMap(({ buttons }) => buttons);
    if (known.length > 0 && this.#dice.hits(0.7)) return this.#dice.one(known as never);
    if (this.#dice.hits(0.5)) return this.#line(commands).slice(0, 64);
    return this.#dice.one(ODD_TEXTS as never);
  }

  #press(user: number, data: string, messageId = 900): Message {
    return press(user, data, `q${this.#id++}`, messageId);
  }

  /** A button of a message that this admin has got. */
  #pressOwn(calls: readonly Call[]): Sent | undefined {
    // Questions are open for a minute of their clock, so mostly the newest.
    const some = calls
      .slice(this.#dice.hits(0.7) ? -60 : -400)
      .filter(({ buttons, chat }) => chat !== undefined && buttons.length > 0);
    if (some.length === 0) return undefined;
    const questions = some.filter(({ buttons }) => buttons.some((data) => data.startsWith('ok:')));
    const from = questions.length > 0 && this.#dice.hits(0.7) ? questions : some;
    const call = this.#dice.one(from as never) as Call;
    const data = this.#dice.one(call.buttons as [string, ...string[]]);
    return { kind: 'admin presses', msg: this.#press(call.chat as number, data), line: data };
  }

  /** The same update once more, or edited. */
  #again(): Sent | undefined {
    if (this.#said.length === 0) return undefined;
    const { msg } = this.#dice.one(this.#said as never) as Sent;
    if (this.#dice.hits(0.6)) return { kind: 'again', msg: structuredClone(msg) };
    const origin = msg.originalMessage as Record<string, unknown> | undefined;
    const payload = { ...(msg.payload as object), type: 'edited_message' };
    return { kind: 'edited', msg: { ...msg, payload, originalMessage: { ...origin, edit_date: 1 } } };
  }

  /** After an outage. */
  #late(user: number, commands: readonly CommandSpec[]): Sent {
    const at = this.#now() - this.#dice.between(3, 600) * 60_000;
    return { kind: 'late', msg: message(user, this.#line(commands), this.#id++, at) };
  }

  #oddSigns(): Record<string, unknown> {
    return this.#dice.one([
      { forward_origin: { type: 'hidden_user' } },
      { chat: { id: -100_555, type: 'supergroup' } },
      { chat: { id: -5, type: 'group' } },
      { chat: { id: -6, type: 'channel' } },
      { sender_chat: { id: -100_123 } },
      { via_bot: { id: 7 } },
      { from: { id: 42, is_bot: true } },
      { text: undefined, photo: [] },
      { text: 42 },
      { date: 'now' },
      { business_connection_id: 'b' },
    ] as [object, ...object[]]) as Record<string, unknown>;
  }
}

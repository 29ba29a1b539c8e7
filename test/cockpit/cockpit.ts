import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Sandbox, startSandbox } from '../../ops/sandbox/server.js';
import type { Installed } from '../machine/installed.ts';
import { HOME } from '../support/node-red.ts';
import { FAKE_TOKEN, type Potion, startPotion } from '../support/potion.ts';
import { Exchange, type Outcome, type Seen } from './exchange.ts';

export type { Seen } from './exchange.ts';

/** An answer to what a person has sent. */
export interface Answer extends Seen {
  /** Id of the request that it answers. */
  request: string;
  /** The word that came up when a button was pressed. */
  toast?: string;
}

/** The methods of an Exchange, wherever it runs. */
type Line = {
  [name in (typeof METHODS)[number]]: (
    ...args: Parameters<Exchange[name]>
  ) => Promise<ReturnType<Exchange[name]>>;
};

const METHODS = ['say', 'press', 'outcome', 'seen', 'messages', 'history', 'audit'] as const;

const LONGEST = 15_000;

/** A person who talks to a running Potion. */
export class Person {
  protected readonly line: Line;
  readonly user: number | undefined;

  constructor(line: Line, user?: number) {
    this.line = line;
    this.user = user;
  }

  /** Sends a text and waits for its final answer: not PROCESSING, nor progress. @throws Error when there is none */
  async ask(text: string, ms = LONGEST): Promise<Answer> {
    return this.#answer(await this.line.say(text, this.user), `"${text}"`, ms);
  }

  /**
   * Presses an inline button and waits for what comes of it: the message itself as it was edited, or a new one.
   * A press that is refused with a word alone gives the message as it is, with that word as `toast`.
   * @param on the message, as an answer or by its id
   * @param label the button's whole label, or a part that only one of them has
   */
  async press(on: { id: number } | number, label: string, ms = LONGEST): Promise<Answer> {
    const id = typeof on === 'number' ? on : on.id;
    const labels = (await this.line.seen(id, this.user))?.buttons.flat() ?? [];
    const fitting = labels.filter((one) => one.includes(label));
    const exact = labels.includes(label) ? label : fitting.length === 1 ? fitting[0] : undefined;
    if (!exact) throw new Error(`message ${id} has no such button "${label}": ${JSON.stringify(labels)}`);
    const request = await this.line.press(id, exact, this.user);
    return this.#answer(request, `the button "${label}"`, ms, id);
  }

  /** Sends a text that nobody is to answer, and waits for the line about it in the audit log. */
  async sendsInVain(text: string, ms = LONGEST): Promise<string> {
    const before = (await this.line.audit()).length;
    const request = await this.line.say(text, this.user);
    const about = await within(ms, `a line about "${text}"`, async () =>
      (await this.line.audit()).slice(before).find((line) => line.includes(`user=${this.user} `)),
    );
    const { taken, answer } = await this.line.outcome(request);
    if (taken || answer) throw new Error(`"${text}" was not left unanswered: ${JSON.stringify(answer)}`);
    return about;
  }

  /** Waits until a message of the bot fits, as it stands: a text that says so, or a check. */
  async hears(what: RegExp | ((seen: Seen) => boolean), ms = LONGEST): Promise<Seen> {
    const fits = typeof what === 'function' ? what : ({ text }: Seen) => what.test(text);
    let last: Seen[] = [];
    return within(
      ms,
      String(what),
      async () => {
        last = await this.messages();
        return last.findLast(fits);
      },
      () => `heard: ${last.map(({ text }) => JSON.stringify(text)).join('\n')}`,
    );
  }

  /** A message as it stands now; undefined once it was deleted. */
  now({ id }: { id: number }): Promise<Seen | undefined> {
    return this.line.seen(id, this.user);
  }

  /** Every text that a message has had, oldest first: PROCESSING, progress, result. */
  history({ id }: { id: number }): Promise<string[]> {
    return this.line.history(id, this.user);
  }

  /** The bot's messages in this person's chat as they stand. */
  messages(): Promise<Seen[]> {
    return this.line.messages(this.user);
  }

  async #answer(request: string, what: string, ms: number, pressed?: number): Promise<Answer> {
    let last: Outcome | undefined;
    return within(
      ms,
      `an answer to ${what}`,
      async () => {
        const { taken, answer, failed, toast, pressed: ended } = await this.line.outcome(request);
        last = { taken, answer, failed, toast, pressed: ended };
        const refused = ended && !taken && pressed !== undefined;
        const seen = answer ?? (refused ? await this.line.seen(pressed, this.user) : undefined);
        return seen && { ...seen, request, ...(toast === undefined ? {} : { toast }) };
      },
      () => JSON.stringify(last),
    );
  }
}

/** A running Potion with an admin before it. */
export class Cockpit extends Person {
  /** Another person; everybody but the admin is a stranger unless the environment says otherwise. */
  as(user: number): Person {
    return new Person(this.line, user);
  }

  /** Lines of actions.log, oldest first. */
  audit(): Promise<string[]> {
    return this.line.audit();
  }
}

/** A cockpit whose Potion is a process of this machine. */
export interface LocalCockpit {
  cockpit: Cockpit;
  sandbox: Sandbox;
  potion: Potion;
  /** Kills Potion and starts it again, with the same database, flows and chat. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface CockpitOptions {
  /** Added to the environment of Potion. */
  env?: Record<string, string>;
  /** Values of nodes of the shipped flows, by id; shorter waits, for example. */
  changes?: Record<string, object>;
}

/**
 * Starts a Bot API server and a whole Potion with a copy of the shipped flows, and waits until it is healthy:
 * about two seconds. `cockpit` is its admin.
 *
 *     const { cockpit, stop } = await startCockpit({ env: { POTION_LANG: 'en-US' } });
 *     const status = await cockpit.ask('/status');
 *     const detail = await cockpit.press(status, 'Detail');
 */
export async function startCockpit({ env = {}, changes = {} }: CockpitOptions = {}): Promise<LocalCockpit> {
  const work = mkdtempSync(join(tmpdir(), 'cockpit-'));
  const sandbox = await startSandbox({ token: FAKE_TOKEN });
  const dataDir = join(work, 'data');
  const flowsDir = flowsWith(changes, work);
  const start = async () => {
    const potion = await startPotion({
      dataDir,
      flowsDir,
      env: { TELEGRAM_API_URL: sandbox.url, ADMIN_IDS: String(sandbox.user.id), ...env },
    });
    await ready(potion);
    return potion;
  };
  let potion: Potion;
  let exchange: Exchange;
  try {
    potion = await start();
    exchange = new Exchange(sandbox, dataDir, env.LOG_DIR ?? join(dataDir, 'logs'));
  } catch (thrown) {
    await sandbox.stop();
    rmSync(work, { recursive: true, force: true });
    throw thrown;
  }
  const line = lineOf(async (name, args) => exchange[name](...(args as [never, never])));
  return {
    cockpit: new Cockpit(line),
    sandbox,
    get potion() {
      return potion;
    },
    async restart() {
      await potion.kill();
      potion = await start();
    },
    async stop() {
      exchange.close();
      await potion.kill();
      await potion.stop();
      await sandbox.stop();
      rmSync(work, { recursive: true, force: true });
    },
  };
}

/** Potion's flows in a folder of their own, with other values in some of their nodes. @returns the folder */
function flowsWith(changes: Record<string, object>, work: string): string {
  const folder = join(work, 'flows');
  cpSync(join(HOME, 'flows'), folder, { recursive: true });
  const left = new Set(Object.keys(changes));
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
    const nodes: unknown = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    if (!Array.isArray(nodes) || !nodes.some(({ id }) => left.has(id))) continue;
    const changed = nodes.map((node) => ({ ...node, ...changes[node.id] }));
    for (const { id } of nodes) left.delete(id);
    writeFileSync(join(folder, file), `${JSON.stringify(changed, null, 2)}\n`);
  }
  if (left.size > 0) throw new Error(`the flows have no node ${[...left].join(', ')} to change`);
  return folder;
}

/** Commands are taken as soon as the flows run; health would wait for the first poll to end. */
async function ready(potion: Potion): Promise<void> {
  await potion.waitReady();
  await within(10_000, 'database', async () => existsSync(join(potion.dataDir, 'potion.db')) || undefined);
}

/** The same for a Potion that is installed in a booted machine and running. */
export async function machineCockpit(installed: Installed): Promise<Cockpit> {
  await installed.telegram.ask('open', '/var/lib/potion', '/var/log/potion');
  return new Cockpit(
    lineOf(async (name, args) => (await installed.telegram.ask('exchange', name, ...args)) ?? undefined),
  );
}

function lineOf(call: (name: (typeof METHODS)[number], args: unknown[]) => Promise<unknown>): Line {
  return Object.fromEntries(
    METHODS.map((name) => [name, (...args: unknown[]) => call(name, args)]),
  ) as unknown as Line;
}

async function within<T>(
  ms: number,
  what: string,
  look: () => Promise<T | undefined>,
  otherwise: () => string | undefined = () => '',
): Promise<T> {
  for (const end = performance.now() + ms; ; await sleep(15)) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error(`nothing like ${what} within ${ms} ms; ${otherwise()}`);
  }
}

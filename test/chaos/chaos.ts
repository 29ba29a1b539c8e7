import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Sandbox, startSandbox } from '../../ops/sandbox/server.js';
import { FAKE_TOKEN, freePort, type Potion, startPotion } from '../support/potion.ts';
import { Dice } from './dice.ts';
import { keptAbout, readLines, spilled, wrongIn } from './evidence.ts';
import { Feed } from './feed.ts';
import { layFlows } from './flows.ts';
import { Journal } from './journal.ts';
import { type Facts, type Figures, judge, type Verdict } from './judge.ts';
import { drawMoment, strikeAt } from './moments.ts';
import { People } from './people.ts';
import { Watch } from './watch.ts';

export interface Options {
  kills: number;
  seed: number;
  /** Told after each kill. */
  onKill?: (kills: number) => void;
}

export interface Outcome {
  seed: number;
  figures: Figures & { kills: number; outages: number; cuts: number; redelivered: number };
  /** Milliseconds from a kill until Potion took the next event, kills in between included. */
  longestRecovery: number;
  /** How often Potion ended by itself, with the end of its log. */
  ownEnds: string[];
  /** What was wrong with its health in the end, and with the files that it left. */
  leftBehind: string[];
  verdict: Verdict;
  /** What happened to the things that went wrong. */
  stories: string[];
  /** What else was said in the chats, by its first words. */
  others: ReadonlyMap<string, number>;
  /** Where its files were left, because something went wrong. */
  folder?: string;
}

/** The part of the token that nobody may read. */
const SECRET = FAKE_TOKEN.split(':')[1] as string;
const ADMINS = [100_001, 100_002] as const;
/** Things that went wrong whose story is told. */
const STORIES = 8;
/** Milliseconds for what waits to go out once nothing is in its way. */
const SETTLE = 30_000;

/** Kills Potion again and again while it works, then looks at what came of it. */
export async function runChaos(options: Options): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'potion-chaos-'));
  const sandbox = await startSandbox({ token: FAKE_TOKEN, kept: 1000 });
  const run = new Run(options, folder, sandbox, await freePort());
  try {
    const outcome = await run.whole();
    const { verdict, ownEnds, leftBehind } = outcome;
    if (verdict.violations.length + ownEnds.length + leftBehind.length > 0) return { ...outcome, folder };
    rmSync(folder, { recursive: true });
    return outcome;
  } finally {
    await run.end();
    await sandbox.stop();
  }
}

class Run {
  readonly #options: Options;
  readonly #folder: string;
  readonly #sandbox: Sandbox;
  readonly #port: number;
  readonly #journal = new Journal();
  readonly #dice: Dice;
  readonly #watch: Watch;
  readonly #feed: Feed;
  readonly #people: People;
  readonly #ownEnds: string[] = [];
  readonly #leftBehind: string[] = [];
  readonly #outages: Promise<void>[] = [];
  #console = '';
  #potion: Potion | undefined;
  #killedAt: number | undefined;
  #longestRecovery = 0;

  constructor(options: Options, folder: string, sandbox: Sandbox, port: number) {
    const { seed } = options;
    this.#options = options;
    this.#folder = folder;
    this.#sandbox = sandbox;
    this.#port = port;
    this.#dice = new Dice(seed);
    this.#watch = new Watch(sandbox, this.#journal);
    this.#feed = new Feed(`http://127.0.0.1:${port}`, new Dice(seed + 1), this.#journal);
    this.#people = new People(sandbox, ADMINS, new Dice(seed + 2), this.#journal);
    this.#feed.on('kept', () => this.#recovered());
  }

  async whole(): Promise<Outcome> {
    const { kills, seed, onKill } = this.#options;
    mkdirSync(join(this.#folder, 'flows'));
    layFlows(join(this.#folder, 'flows'), this.#effectsFile);
    this.#sandbox.faults.random(seed, {
      tooMany: 0.02,
      retryAfter: 1,
      serverError: 0.03,
      hang: 0.005,
      reset: 0.03,
      cut: 0.04,
    });
    this.#feed.start();
    this.#people.start();
    for (let done = 0; done < kills; ) {
      if (!(await this.#live())) continue;
      done++;
      onKill?.(done);
    }
    return this.#close();
  }

  async end(): Promise<void> {
    await Promise.all([this.#feed.stop(), this.#people.stop()]);
    await this.#potion?.kill();
  }

  get #effectsFile(): string {
    return join(this.#folder, 'effects.txt');
  }

  async #start(): Promise<Potion> {
    this.#watch.life++;
    this.#journal.note(`— Potion starts (${this.#watch.life})`, true);
    const potion = await startPotion({
      env: {
        ADMIN_IDS: ADMINS.join(','),
        TELEGRAM_API_URL: this.#sandbox.url,
        POTION_LANG: 'en-US',
        SERVER_NAME: 'chaos',
      },
      dataDir: join(this.#folder, 'data'),
      flowsDir: join(this.#folder, 'flows'),
      port: this.#port,
    });
    this.#potion = potion;
    return potion;
  }

  /** One life of Potion. @returns whether it ended with a kill, as it should */
  async #live(): Promise<boolean> {
    const potion = await this.#start();
    const moment = drawMoment(this.#dice);
    this.#outages.push(this.#perhapsOutage());
    let killed = false;
    await strikeAt(moment, this.#sandbox, this.#feed, potion.ended, () => {
      killed = true;
      this.#killedAt ??= Date.now();
      this.#journal.note(`— Potion is killed: ${moment.delay.toFixed(0)} ms after ${moment.kind}`, true);
      void potion.kill();
    });
    await potion.ended;
    this.#console += potion.console();
    const { code, signal } = await potion.ended;
    if (killed && signal === 'SIGKILL') return true;
    this.#noteOwnEnd(potion, `${code ?? signal}`);
    return false;
  }

  /** May go on over the next start. */
  async #perhapsOutage(): Promise<void> {
    if (!this.#dice.hits(0.15)) return;
    await sleep(this.#dice.between(500, 2500));
    this.#watch.outages++;
    this.#journal.note('— Telegram refuses connections', true);
    await this.#sandbox.faults.down(this.#dice.between(200, 2500));
  }

  #noteOwnEnd(potion: Potion, how: string): void {
    this.#journal.note(`— Potion ended by itself: ${how}`, true);
    this.#ownEnds.push(`ended by itself (${how}):\n${potion.console().slice(-4000)}`);
    if (this.#ownEnds.length > 3) throw new Error(this.#ownEnds.join('\n\n'));
  }

  #recovered(): void {
    if (this.#killedAt === undefined) return;
    this.#longestRecovery = Math.max(this.#longestRecovery, Date.now() - this.#killedAt);
    this.#killedAt = undefined;
  }

  /** Lets Potion finish in peace, and takes stock. */
  async #close(): Promise<Outcome> {
    await Promise.all(this.#outages);
    await this.#sandbox.faults.up();
    this.#sandbox.faults.clear();
    const potion = await this.#start();
    this.#journal.note('— the last start: nothing goes wrong from here on', true);
    await potion.waitReady(60_000);
    await this.#feed.stop();
    await this.#people.stop();
    await this.#settled();
    await potion
      .waitHealthy(30_000)
      .catch((thrown: Error) => this.#leftBehind.push(thrown.message.slice(-4000)));
    const { code, signal } = await potion.stop();
    this.#console += potion.console();
    if (code !== 0) this.#noteOwnEnd(potion, `${code ?? signal} when asked to stop`);
    return this.#outcome();
  }

  async #settled(): Promise<void> {
    const end = Date.now() + SETTLE;
    let quiet = 0;
    let seen = 0;
    while (quiet < 10 && Date.now() < end) {
      await this.#people.settled();
      await sleep(200);
      const { lost, unanswered } = judge(this.#facts()).figures;
      const { deliveries } = this.#watch;
      const isQuiet = deliveries.length === seen && this.#sandbox.world.updates.pending.length === 0;
      quiet = isQuiet && lost === 0 && unanswered === 0 ? quiet + 1 : 0;
      seen = deliveries.length;
    }
  }

  #facts(): Facts {
    return {
      chats: [...ADMINS],
      due: this.#feed.due,
      deliveries: this.#watch.deliveries,
      commands: this.#people.commands,
      pressed: this.#people.pressed,
      effects: readLines(this.#effectsFile).map((line) => line.replace('#', '')),
    };
  }

  #outcome(): Outcome {
    const facts = this.#facts();
    const verdict = judge(facts);
    const logs = join(this.#folder, 'data', 'logs');
    const db = new DatabaseSync(join(this.#folder, 'data', 'potion.db'));
    try {
      return {
        seed: this.#options.seed,
        figures: {
          ...verdict.figures,
          kills: this.#options.kills,
          outages: this.#watch.outages,
          cuts: facts.deliveries.filter(({ cut }) => cut).length,
          redelivered: this.#people.redelivered,
        },
        longestRecovery: this.#longestRecovery,
        ownEnds: this.#ownEnds,
        leftBehind: [...this.#leftBehind, ...wrongIn(db), ...spilled(SECRET, logs, this.#console)],
        verdict,
        stories: verdict.violations.slice(0, STORIES).map(({ what, key }) => this.#story(what, key, db)),
        others: this.#watch.others,
      };
    } finally {
      db.close();
    }
  }

  #story(what: string, key: string, db: DatabaseSync): string {
    const [kind = '', n = ''] = key.split(' ');
    const lines = this.#journal.story(`${kind} ${n}`).slice(0, 60);
    const kept = keptAbout(db, kind, n).map((row) => `kept: ${row}`);
    return [`seed ${this.#options.seed}: ${what}`, ...lines, ...kept].join('\n  ');
  }
}

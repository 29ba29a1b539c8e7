import { createHash } from 'node:crypto';
import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { config as environment } from '../../kit/config.js';
import { type Behaviour, defineNode, type NodeContext } from '../../kit/define-node.js';
import { PotionError, toPotionError } from '../../kit/errors.js';
import type { Message, Say } from '../../kit/messages.js';
import { nearest } from '../../kit/nearest.js';
import { outgoing } from '../../kit/outgoing.js';
import { audit } from '../../state/audit.js';
import { database } from '../../state/database.js';
import type { Script } from './definition.js';
import { fill } from './fill.js';
import { listOf } from './list.js';
import { type Ran, type Run, runById, runScript } from './runs.js';
import { type Scripts, scriptsOf } from './scripts-file.js';

const ACTIONS = ['list', 'check', 'run', 'cancel'] as const;
type Action = (typeof ACTIONS)[number];

interface ScriptConfig {
  /** `check`: whether it may run like this, and whether to ask first; `cancel`: end one that is running. */
  action: Action;
}

/** What `check` hands on, and `run` carries out. */
interface Plan {
  script: string;
  args: string[];
  /** The command line as people read it. */
  line: string;
  /** Of what was checked: what runs is what was asked about. */
  mark: string;
}

/** Milliseconds after which a run tells that it is going on; a second, when a person would wonder, is too late. */
const FIRST_NEWS = 900;
const NEWS_EVERY = 5000;
/** Longer output goes as a file. Characters. */
const LONGEST_TEXT = 3000;

export default defineNode<ScriptConfig>({
  type: 'potion-script',
  version: 1,
  check({ action }) {
    if (!ACTIONS.includes(action))
      throw new PotionError('INVALID', 'script.errors.action', { action: String(action) });
  },
  create: (ctx) => scriptNode(ctx),
});

function scriptNode(ctx: NodeContext<ScriptConfig>): Behaviour {
  const { action } = ctx.config;
  let watcher: FSWatcher | undefined;
  return {
    start() {
      if (action === 'list') watcher = follow(ctx);
    },

    async input(msg, send) {
      if (action === 'list') return [await list(msg), null];
      if (action === 'cancel') return [cancel(msg), null];
      if (action === 'check') {
        const { script, plan } = await check(msg);
        const out = { ...msg, payload: plan };
        return script.confirm ? [out, null] : [null, out];
      }
      return [await carryOut(ctx, msg, (news) => send([null, news])), null];
    },

    stop: () => watcher?.close(),
  };
}

async function list(msg: Message): Promise<Message> {
  const { scriptsFile: file, lang } = environment();
  const found = await scriptsOf(file);
  const page = Number((msg.payload as { page?: unknown } | undefined)?.page ?? 1);
  const { payload, buttons } = listOf(found, file, page, lang);
  const text = found && found.scripts.length + found.problems.length > 0 ? 'script.list' : 'script.none';
  return { ...msg, payload, say: { text, buttons } };
}

/** @throws PotionError as `scriptsOf` and `fill`, NOT_FOUND */
async function check(msg: Message): Promise<{ script: Script; plan: Plan; argv: string[] }> {
  const { args = [] } = (msg.payload ?? {}) as { args?: unknown };
  const [name = '', ...words] = Array.isArray(args) ? args.map(String) : [];
  const script = find(await scriptsOf(environment().scriptsFile), name);
  const argv = await fill(script, words);
  const mark = createHash('sha256')
    .update(JSON.stringify([script.name, argv, script.confirm]))
    .digest('base64url');
  const line = [script.name, ...words.map((word) => (/\s/.test(word) ? `“${word}”` : word))].join(' ');
  return { script, argv, plan: { script: script.name, args: words, line, mark } };
}

function find(found: Scripts | undefined, name: string): Script {
  const { scripts = [], problems = [] } = found ?? {};
  const script = scripts.find((one) => one.name === name);
  if (script) return script;
  const bad = problems.find((one) => one.name === name);
  if (bad) throw new PotionError('INVALID', 'script.errors.broken', { name, line: bad.line });
  const names = scripts.map((one) => one.name);
  throw new PotionError('NOT_FOUND', 'script.errors.unknown', {
    name: name.slice(0, 64).toWellFormed(),
    nearest: nearest(name, names),
    names: names.slice(0, 20).join(', '),
  });
}

/** Carries out what was checked, and asked about where the script wants that. */
async function carryOut(
  ctx: NodeContext<ScriptConfig>,
  msg: Message,
  tell: (news: Message) => void,
): Promise<Message> {
  const wanted = msg.payload as Partial<Plan> | undefined;
  const { script, argv, plan } = await check({
    payload: { args: [wanted?.script, ...(wanted?.args ?? [])] },
  });
  if (plan.mark !== wanted?.mark)
    throw new PotionError('DENIED', 'script.errors.changed', { name: script.name });
  if (script.confirm && !msg.confirmed)
    throw new PotionError('DENIED', 'script.errors.unconfirmed', { name: script.name });
  const news = new News(ctx, msg, tell);
  const { clock, signal } = ctx;
  const note = (result: string, took?: number) => audited(ctx, msg, plan, result, took);
  try {
    ctx.status({ fill: 'blue', text: plan.line.slice(0, 60) });
    const ran = await runScript(script, argv, { signal, monotonic: () => clock.monotonic() }, (run) =>
      news.watch(run),
    );
    await note(`exit ${ran.exitCode}`, ran.took);
    ctx.status({ fill: ran.exitCode === 0 ? 'green' : 'red', text: `${script.name}: ${ran.exitCode}` });
    return { ...msg, payload: { ...plan, ...ran }, say: await telling(script, plan, ran, clock.now()) };
  } catch (thrown) {
    await note(toPotionError(thrown).code);
    throw thrown;
  } finally {
    news.stop();
  }
}

/** Its output in the message, or as a file with the end of it in the caption. */
async function telling(script: Script, plan: Plan, ran: Ran, now: number): Promise<Say> {
  const { output, ...facts } = ran;
  const data = { ...facts, line: plan.line, length: output.length };
  const outcome = ran.exitCode === 0 ? 'ok' : 'FAILED';
  if (script.output === 'text' && output.length <= LONGEST_TEXT)
    return { text: 'script.done', data: { ...data, output }, outcome };
  const bytes = Buffer.from(`${output}\n`);
  const tail = output.split('\n').slice(-5).join('\n').slice(-500).toWellFormed();
  return {
    text: 'script.done',
    data: { ...data, output: tail, asFile: true },
    file: await outgoing(`${script.name}.txt`, bytes, now),
    outcome,
  };
}

/** Tells now and then that a run goes on, with a button that ends it. */
class News {
  readonly #ctx: NodeContext<ScriptConfig>;
  readonly #msg: Message;
  readonly #tell: (news: Message) => void;
  #cancel = () => {};

  constructor(ctx: NodeContext<ScriptConfig>, msg: Message, tell: (news: Message) => void) {
    this.#ctx = ctx;
    this.#msg = msg;
    this.#tell = tell;
  }

  watch(run: Run, after = FIRST_NEWS): void {
    const { clock, t } = this.#ctx;
    this.#cancel = clock.after(after, () => {
      const took = (clock.monotonic() - run.started) / 1000;
      this.#tell({
        ...this.#msg,
        say: {
          text: 'script.running',
          data: { name: run.name, took, last: run.line() },
          buttons: [[{ label: t('script.stop'), command: `/script_stop ${run.id}` }]],
          interim: true,
        },
      });
      this.watch(run, NEWS_EVERY);
    });
  }

  stop(): void {
    this.#cancel();
  }
}

function cancel(msg: Message): Message {
  const id = (msg.payload as { run?: unknown } | undefined)?.run;
  const found = typeof id === 'string' ? runById(id) : undefined;
  found?.cancel();
  return { ...msg, say: { text: 'script.stopping', data: { name: found?.name ?? '' } } };
}

async function audited(
  { clock }: NodeContext<ScriptConfig>,
  { request }: Message,
  { script, line }: Plan,
  result: string,
  took?: number,
): Promise<void> {
  await audit(await database(), {
    at: clock.now(),
    user: request?.user ?? null,
    event: 'script',
    action: script,
    target: line,
    result,
    ...(took === undefined ? {} : { detail: { seconds: Math.round(took * 10) / 10 } }),
  });
}

/**
 * Shows how many scripts there are, anew with each change of the file. Its folder is watched, because editors put
 * another file in the place of the old one.
 */
function follow(ctx: NodeContext<ScriptConfig>): FSWatcher | undefined {
  const { scriptsFile: file } = environment();
  const look = async () => {
    try {
      const { scripts = [], problems = [] } = (await scriptsOf(file)) ?? {};
      const [first] = problems;
      const count = scripts.length;
      if (first) ctx.warn(ctx.t('script.status.problem', { file, ...first, count }));
      const text = ctx.t(first ? 'script.status.problem' : 'script.status.count', { file, ...first, count });
      ctx.status({ fill: first ? 'yellow' : 'green', text });
    } catch (thrown) {
      const { message } = toPotionError(thrown);
      ctx.warn(message);
      ctx.status({ fill: 'red', shape: 'ring', text: message.slice(0, 80) });
    }
  };
  void look();
  let soon = () => {};
  ctx.signal.addEventListener('abort', () => soon());
  try {
    const watcher = watch(dirname(file), (_, name) => {
      if (name !== null && name !== basename(file)) return;
      soon();
      soon = ctx.clock.after(200, () => void look());
    });
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    // Without the folder there is nothing to watch; each list looks for itself.
    return undefined;
  }
}

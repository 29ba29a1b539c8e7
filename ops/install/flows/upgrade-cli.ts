import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { describe, PotionError } from '../../../nodes/kit/errors.js';
import type { Language } from '../../../nodes/kit/locale.js';
import { FlowsError } from '../../runtime/flows/problem.js';
import { SAYINGS } from './sayings.js';
import { show } from './state.js';
import { describeConflicts, describeTabs } from './texts.js';
import { init, type Outcome, rollback, upgrade } from './worktree.js';

/**
 * The interface, for the installer and for /git_pull. Run as the owner of the flows folder, with Potion's Node:
 *
 *     node ops/install/flows/upgrade-cli.js upgrade [--flows DIR] [--shipped DIR] [--version V] [--json]
 *
 * With --json stdout holds one JSON object: the Outcome, Rollback or State of worktree.ts and state.ts, or
 * `{ error: { code, message, hint, problems } }`. Texts for people: POTION_LANG (id, en-US); errors are English.
 *
 * Exit codes:
 *   0  done, also when there was nothing to do or something of Potion's was not taken (see `conflicts`)
 *   1  it failed (disk full, no git, …): nothing was changed; trying again may help
 *   2  the command line is wrong
 *   3  refused: a person has to mend something first (broken flow file, merge under way, wrong user);
 *      nothing was changed
 */
const USAGE = `node ops/install/flows/upgrade-cli.js <command> [options]

  init               put the flows folder under git: the shipped flows where there are none yet; flows that
                     are there stay as they are
         --stem DIR --stem-version V   the shipped flows that those stem from, if that is known
  upgrade            bring the shipped flows into the person's; does what init does where that is missing
  rollback <commit>  back to a commit; what was there is kept on a branch rescue/<time>
  show [<merge>]     where the work tree stands, and what was not taken in the last merge (or in that one)

  --flows DIR        the flows folder (FLOWS_DIR, else /var/lib/potion/flows)
  --shipped DIR      the flows of the release (else those of this Potion)
  --version V        the release's name (else the version of this Potion)
  --json             the result as JSON
`;

const OPTIONS = {
  flows: { type: 'string' },
  shipped: { type: 'string' },
  version: { type: 'string' },
  stem: { type: 'string' },
  'stem-version': { type: 'string' },
  json: { type: 'boolean' },
} as const;

const HOME = resolve(__dirname, '..', '..', '..');

/** What a person asked for in a wrong way. */
class UsageError extends Error {}

type Values = { [name in keyof typeof OPTIONS]?: string | boolean };

interface Answer {
  data: object;
  text: string;
}

const COMMANDS: Record<string, (values: Values, rest: string[], lang: Language) => Promise<Answer>> = {
  async init(values, rest, lang) {
    noMore(rest);
    return tellOutcome(await init(flowsDir(values), release(values), { stem: stem(values) }), lang);
  },
  async upgrade(values, rest, lang) {
    noMore(rest);
    return tellOutcome(await upgrade(flowsDir(values), release(values), { stem: stem(values) }), lang);
  },
  async rollback(values, [commit, ...rest], lang) {
    noMore(rest);
    if (!commit) throw new UsageError('rollback needs a commit');
    const data = await rollback(flowsDir(values), commit);
    return { data, text: SAYINGS[lang].rolledBack(data) };
  },
  async show(values, [commit, ...rest], lang) {
    noMore(rest);
    const data = await show(flowsDir(values), commit);
    const lines = [
      SAYINGS[lang].state(data),
      ...(data.merge ? [describeConflicts(data.conflicts, lang)] : []),
    ];
    return { data, text: lines.join('\n') };
  },
};

function tellOutcome(data: Outcome, lang: Language): Answer {
  const lines = [SAYINGS[lang].outcome(data)];
  if (data.changes.length > 0) lines.push(describeTabs(data.changes, lang));
  if (data.conflicts.length > 0) lines.push(describeConflicts(data.conflicts, lang));
  return { data, text: lines.join('\n') };
}

function flowsDir({ flows }: Values): string {
  return resolve(String(flows ?? process.env.FLOWS_DIR ?? '/var/lib/potion/flows'));
}

function release({ shipped, version }: Values) {
  return {
    dir: resolve(String(shipped ?? join(HOME, 'flows'))),
    version: String(version ?? ownVersion()),
  };
}

function stem(values: Values) {
  if (values.stem === undefined) return undefined;
  return { dir: resolve(String(values.stem)), version: String(values['stem-version'] ?? 'unknown') };
}

function ownVersion(): string {
  return (JSON.parse(readFileSync(join(HOME, 'package.json'), 'utf8')) as { version: string }).version;
}

function noMore(rest: readonly string[]): void {
  if (rest.length > 0) throw new UsageError(`what is “${rest[0]}”?`);
}

function parse(args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS, allowPositionals: true });
  } catch (thrown) {
    throw new UsageError(describe(thrown));
  }
}

async function main(args: string[]): Promise<void> {
  const { values, positionals } = parse(args);
  const [name = '', ...rest] = positionals;
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) throw new UsageError(name ? `there is no “${name}”` : 'what should be done?');
  const lang: Language = process.env.POTION_LANG === 'en-US' ? 'en-US' : 'id';
  const { data, text } = await command(values, rest, lang);
  process.stdout.write(values.json ? `${JSON.stringify(data)}\n` : `${text}\n`);
}

function fail(thrown: unknown, json: boolean): number {
  const refused = thrown instanceof FlowsError;
  const usage = thrown instanceof UsageError;
  const hint = thrown instanceof PotionError ? thrown.hint : '';
  const message = describe(thrown);
  if (json) {
    const code = usage
      ? 'USAGE'
      : refused
        ? 'REFUSED'
        : thrown instanceof PotionError
          ? thrown.code
          : 'FAILED';
    const error = { code, message, hint, problems: refused ? thrown.problems : [] };
    process.stdout.write(`${JSON.stringify({ error })}\n`);
  }
  process.stderr.write(`${message}${hint ? `\n${hint}` : ''}${usage ? `\n\n${USAGE}` : ''}\n`);
  return usage ? 2 : refused ? 3 : 1;
}

const given = process.argv.slice(2);
main(given).catch((thrown: unknown) => {
  process.exitCode = fail(thrown, given.includes('--json'));
});

import { existsSync, lstatSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { run } from '../../../nodes/kit/run.js';
import { isFlowFile } from '../../runtime/flows/folder.js';
import type { Files } from '../../runtime/flows/model.js';

// Flow files are kilobytes; a slow disk under load is what this waits for.
const WITHIN = 120_000;
const MOST_OUTPUT = 200_000_000;

/** Nothing that a person or a machine has configured may run, ask or change what is stored. */
const SETTINGS = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.untrackedCache=false',
  'core.autocrlf=false',
  'core.attributesFile=/dev/null',
  'core.fsync=all',
  'core.quotePath=false',
  'commit.gpgSign=false',
  'gc.auto=0',
  'maintenance.auto=false',
  'advice.detachedHead=false',
  'safe.directory=*',
];

const WHO = { NAME: 'Potion', EMAIL: 'potion@localhost' };

const ENVIRONMENT = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_ATTR_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_PAGER: 'cat',
  GIT_EDITOR: 'false',
  GIT_LITERAL_PATHSPECS: '1',
  GIT_AUTHOR_NAME: WHO.NAME,
  GIT_AUTHOR_EMAIL: WHO.EMAIL,
  GIT_COMMITTER_NAME: WHO.NAME,
  GIT_COMMITTER_EMAIL: WHO.EMAIL,
};

interface Options {
  input?: string;
  index?: string;
  /** Exit codes besides 0 that are an answer. */
  answers?: readonly number[];
}

/** git did not do what it was asked for. */
export class GitError extends Error {
  constructor(command: string, words: string) {
    super(`git ${command}: ${words.replace(/\s+/g, ' ').trim().slice(-500)}`);
    this.name = 'GitError';
  }
}

/** One git repository with its work tree at `dir`, by plumbing: nothing here touches the work tree itself. */
export class Git {
  readonly dir: string;
  /** Where git keeps its own: `.git`, or where a `.git` file points. */
  readonly gitDir: string;

  constructor(dir: string, gitDir: string) {
    this.dir = dir;
    this.gitDir = gitDir;
  }

  /** The repository whose work tree is this very folder; undefined when there is none, also within another one. */
  static async open(dir: string): Promise<Git | undefined> {
    if (!existsSync(join(dir, '.git'))) return undefined;
    const args = [...SETTINGS.flatMap((setting) => ['-c', setting]), 'rev-parse', '--absolute-git-dir'];
    const env = { ...ENVIRONMENT, GIT_CEILING_DIRECTORIES: dirname(dir) };
    const { exitCode, stdout } = await run('git', args, { cwd: dir, timeout: WITHIN, env });
    return exitCode === 0 ? new Git(dir, stdout) : undefined;
  }

  /** Makes the repository, or completes one that a crash has left half made. */
  static async create(dir: string): Promise<Git> {
    const git = new Git(dir, join(dir, '.git'));
    await git.run(['init', '--quiet', '--template=', '--initial-branch=mine']);
    await mkdir(join(git.gitDir, 'info'), { recursive: true });
    await writeFile(
      join(git.gitDir, 'info', 'exclude'),
      '# a save of the flows that is under way\n/.saving/\n',
    );
    return git;
  }

  /** Runs git. @returns its output without the last line break. @throws GitError, PotionError */
  async run(args: readonly string[], { input, index, answers = [] }: Options = {}): Promise<string> {
    return (await this.#answer(args, { input, index, answers })).stdout;
  }

  /** Whether git says yes (0) rather than no (1). */
  async asks(args: readonly string[]): Promise<boolean> {
    return (await this.#answer(args, { answers: [1] })).exitCode === 0;
  }

  async #answer(args: readonly string[], { input, index, answers = [] }: Options) {
    const settings = SETTINGS.flatMap((setting) => ['-c', setting]);
    const result = await run('git', [...settings, ...args], {
      cwd: this.dir,
      timeout: WITHIN,
      maxOutput: MOST_OUTPUT,
      input,
      env: {
        ...ENVIRONMENT,
        GIT_DIR: this.gitDir,
        GIT_WORK_TREE: this.dir,
        ...(index ? { GIT_INDEX_FILE: index } : {}),
      },
    });
    if (result.exitCode !== 0 && !answers.includes(result.exitCode))
      throw new GitError(args[0] ?? '', result.stderr || `exit code ${result.exitCode}`);
    return result;
  }

  /** The commit that a name stands for. */
  async resolve(name: string): Promise<string | undefined> {
    const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`];
    const found = await this.run(args, { answers: [1, 128] });
    return /^[0-9a-f]{40,64}$/.test(found) ? found : undefined;
  }

  /** The branch that is checked out, also before its first commit; undefined when HEAD is detached. */
  async branch(): Promise<string | undefined> {
    const ref = await this.run(['symbolic-ref', '--quiet', 'HEAD'], { answers: [1] });
    return ref.startsWith('refs/heads/') ? ref.slice('refs/heads/'.length) : undefined;
  }

  async parents(commit: string): Promise<string[]> {
    const line = await this.run(['rev-list', '--parents', '--max-count=1', commit]);
    return line.split(' ').slice(1);
  }

  isAncestor(commit: string, of: string): Promise<boolean> {
    return this.asks(['merge-base', '--is-ancestor', commit, of]);
  }

  async mergeBase(a: string, b: string): Promise<string | undefined> {
    return (await this.run(['merge-base', a, b], { answers: [1] })) || undefined;
  }

  /** Moves a branch. @param from where it must be; undefined: it must not be there */
  async moveBranch(branch: string, to: string, from: string | undefined, why: string): Promise<void> {
    const nowhere = '0'.repeat(to.length);
    await this.run(['update-ref', '-m', `potion: ${why}`, `refs/heads/${branch}`, to, from ?? nowhere]);
  }

  /** The flow files of a commit. */
  async files(commit: string): Promise<Map<string, string>> {
    const entries = [...(await this.#blobs(commit))];
    if (entries.length === 0) return new Map();
    const input = `${entries.map(([, blob]) => blob).join('\n')}\n`;
    // What git writes after the last text is a line break, which run() has cut off.
    const answer = Buffer.from(await this.run(['cat-file', '--batch'], { input }));
    const files = new Map<string, string>();
    let at = 0;
    for (const [name, blob] of entries) {
      const end = answer.indexOf('\n', at);
      const [id, , size] = answer.toString('utf8', at, end).split(' ');
      if (id !== blob) throw new GitError('cat-file', `${name} in ${commit} is not UTF-8 text`);
      at = end + 1 + Number(size);
      files.set(name, answer.toString('utf8', end + 1, at).replace(/^\uFEFF/, ''));
      at++;
    }
    return files;
  }

  /** Flow files with their blobs. */
  async #blobs(commit: string): Promise<Map<string, string>> {
    const list = await this.run(['ls-tree', '-z', commit]);
    const entries = list.split('\0').flatMap((line): [string, string][] => {
      const [, type, blob, name] = /^\d+ (\w+) (\w+)\t(.*)$/s.exec(line) ?? [];
      return type === 'blob' && blob && name && isFlowFile(name) ? [[name, blob]] : [];
    });
    return new Map(entries);
  }

  /**
   * Makes a commit with these flow files; everything else in it is as in its first parent. Moves no branch.
   * @returns the new commit
   */
  async commit(files: Files, parents: readonly string[], message: string): Promise<string> {
    const work = join(this.gitDir, 'potion-work');
    await rm(work, { recursive: true, force: true });
    await mkdir(work);
    try {
      const index = join(work, 'index');
      const [first] = parents;
      const old = first ? await this.#blobs(first) : new Map<string, string>();
      await this.run(first ? ['read-tree', first] : ['read-tree', '--empty'], { index });
      const blobs = await this.#store(files, work);
      await this.run(['update-index', '-z', '--index-info'], { index, input: indexInfo(old, blobs) });
      const tree = await this.run(['write-tree'], { index });
      const lineage = parents.flatMap((parent) => ['-p', parent]);
      return await this.run(['commit-tree', ...lineage, '-F', '-', tree], { input: message });
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }

  /** Texts as blobs, byte for byte, whatever attributes say of line ends. */
  async #store(files: Files, work: string): Promise<Map<string, string>> {
    if (files.size === 0) return new Map();
    const names = [...files.keys()];
    const paths = names.map((_, index) => join(work, String(index)));
    for (const [index, text] of [...files.values()].entries()) await writeFile(paths[index] as string, text);
    const args = ['hash-object', '-w', '--no-filters', '--stdin-paths'];
    const blobs = (await this.run(args, { input: `${paths.join('\n')}\n` })).split('\n');
    return new Map(names.map((name, index) => [name, blobs[index] as string]));
  }

  /**
   * Makes git's index say of the flow files what a commit says; of other files it keeps what it has. It is not
   * refreshed: that would run filters of the person's, and git status does it by itself.
   */
  async settleIndex(commit: string): Promise<void> {
    if (!existsSync(join(this.gitDir, 'index'))) await this.run(['read-tree', commit]);
    const listed = await this.run(['ls-files', '-z', '--stage']);
    const old = new Map(
      listed.split('\0').flatMap((line): [string, string][] => {
        const [, blob, name] = /^\d+ (\w+) \d\t(.*)$/s.exec(line) ?? [];
        return blob && name && isFlowFile(name) ? [[name, blob]] : [];
      }),
    );
    const blobs = await this.#blobs(commit);
    const same = old.size === blobs.size && [...blobs].every(([name, blob]) => old.get(name) === blob);
    if (!same) await this.run(['update-index', '-z', '--index-info'], { input: indexInfo(old, blobs) });
  }
}

/** Lines for update-index that put the one set of blobs in the place of the other. */
function indexInfo(old: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): string {
  const gone = [...old].filter(([name]) => !now.has(name));
  return [
    ...gone.map(([name, blob]) => `0 ${'0'.repeat(blob.length)}\t${name}\0`),
    ...[...now].map(([name, blob]) => `100644 ${blob}\t${name}\0`),
  ].join('');
}

/** The checkout that a folder lies in without being its root. */
export function enclosingCheckout(dir: string): string | undefined {
  for (let at = dirname(dir); at !== dirname(at); at = dirname(at))
    if (lstatSync(join(at, '.git'), { throwIfNoEntry: false })) return at;
  return undefined;
}

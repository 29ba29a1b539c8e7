import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readSettled, update } from '../../runtime/flows/commit.js';
import { changesOf, type TabChange } from '../../runtime/flows/compare.js';
import { parseFiles } from '../../runtime/flows/parse.js';
import { FlowsError } from '../../runtime/flows/problem.js';
import type { Conflict } from './conflict.js';
import { Git } from './git.js';
import { type Laid, layOut } from './lay-out.js';
import { alone, clearStaleLocks, refuseUnderWay } from './locks.js';
import { mergeFlows } from './merge.js';
import { editsMessage, mergeMessage } from './messages.js';
import type { Move } from './pending.js';
import { conflictsOf } from './state.js';
import {
  attach,
  commitEdits,
  commitShipped,
  findShipped,
  freeBranch,
  headOf,
  MINE,
  moveTo,
  Overtaken,
  openOrRefuse,
  type Release,
  readRelease,
  readWork,
  recover,
  refuseStrangePlace,
  refuseVanished,
  type Step,
  sameFiles,
  stamp,
} from './steps.js';

/** What became of the person's flows. Commits are full hashes. */
export interface Outcome {
  /**
   * created    there were none: the shipped ones are there now
   * taken-in   there were some without git: they are under git now, unchanged
   * merged     shipped changes were brought in
   * unchanged  there was nothing to bring in
   */
  how: 'created' | 'taken-in' | 'merged' | 'unchanged';
  /** Whether there is a new commit. */
  changed: boolean;
  /** Where a rollback leads, with the person's last edits in it; absent when there was no commit before. */
  before?: string;
  after: string;
  branch: string;
  conflicts: Conflict[];
  /** What has changed in the person's flows; for `taken-in`: how the shipped ones differ from theirs. */
  changes: TabChange[];
}

export interface Options {
  /** The release that flows without git stem from; else what differs counts as the person's own change. */
  stem?: Release;
  now?: Date;
  /** Called after each step that a crash could follow; for tests. */
  step?: Step;
}

// Someone would have to deploy within each of these fractions of a second.
const ATTEMPTS = 5;

/**
 * Sets up the work tree: the shipped flows where there are none; flows that are there already become the
 * person's, unchanged. Does nothing where that was done.
 * @throws FlowsError (something a person must mend; nothing was touched), GitError, PotionError
 */
export async function init(flowsDir: string, release: Release, options: Options = {}): Promise<Outcome> {
  const { stem, step = () => {} } = options;
  const dir = resolve(flowsDir);
  const shipped = await readRelease(release);
  const root = stem ? await readRelease(stem) : shipped;
  refuseStrangePlace(dir, existsSync(join(dir, '.git')));
  await readWork(dir);
  // The folder itself, then git's.
  await update(dir, (files) => files);
  const git = (await Git.open(dir)) ?? (await Git.create(dir));
  step('repository');
  return alone(git.gitDir, async () => {
    await clearStaleLocks(git.gitDir, dir);
    const head = await git.resolve('HEAD');
    if (head) return (await recovered(git)) ?? unchanged(git, head);
    const version = (stem ?? release).version;
    const start = await commitShipped(git, root.files, version, await git.resolve('refs/heads/shipped'));
    step('shipped');
    const found = await readWork(dir);
    const empty = found.files.size === 0;
    if (empty) await update(dir, (disk) => (disk.size === 0 ? root.files : disk), step);
    step('work tree');
    const now = await readWork(dir);
    const same = sameFiles(now.files, await git.files(start));
    const after = same ? start : await git.commit(now.files, [start], editsMessage('as they were found'));
    step('committed');
    const branch = (await git.branch()) ?? MINE;
    await git.moveBranch(branch, after, undefined, 'set up');
    step('branch');
    await git.settleIndex(after);
    return {
      how: same ? 'created' : 'taken-in',
      changed: true,
      after,
      branch,
      conflicts: [],
      changes: empty
        ? changesOf([], now.flows.nodes)
        : changesOf(now.flows.nodes, parseFiles(shipped.files).nodes),
    };
  });
}

async function unchanged(git: Git, head: string): Promise<Outcome> {
  const branch = (await git.branch()) ?? '';
  return { how: 'unchanged', changed: false, before: head, after: head, branch, conflicts: [], changes: [] };
}

/**
 * Brings a release's flows into the person's (see mergeFlows). Edits that are not committed are committed
 * first. The work tree changes as a whole; after a crash the next call finishes or begins anew. Sets the work
 * tree up where there is none.
 * @throws FlowsError (something a person must mend; nothing was touched), GitError, PotionError
 */
export async function upgrade(flowsDir: string, release: Release, options: Options = {}): Promise<Outcome> {
  const dir = resolve(flowsDir);
  const shipped = await readRelease(release);
  refuseStrangePlace(dir, existsSync(join(dir, '.git')));
  const git = await Git.open(dir);
  if (!git || !(await git.resolve('HEAD'))) {
    const made = await init(dir, release, options);
    if (!options.stem) return made;
  }
  const repository = git ?? (await openOrRefuse(dir));
  return alone(repository.gitDir, async () => {
    await clearStaleLocks(repository.gitDir, dir);
    for (let attempt = 1; ; attempt++) {
      try {
        return await mergeRelease(repository, shipped, release.version, options);
      } catch (thrown) {
        if (!(thrown instanceof Overtaken) || attempt === ATTEMPTS) throw thrown;
      }
    }
  });
}

async function mergeRelease(git: Git, wanted: Laid, version: string, options: Options): Promise<Outcome> {
  const { step = () => {} } = options;
  await refuseUnderWay(git.gitDir, git.dir);
  const done = await recovered(git);
  const now = await readWork(git.dir);
  const head = await headOf(git);
  await refuseVanished(git, head, now);
  const tip = await findShipped(git, head);
  const current = tip !== undefined && sameFiles(await git.files(tip), wanted.files);
  if (current && (await git.isAncestor(tip, head))) return done ?? unchanged(git, head);

  const branch = await attach(git, head, options.now ?? new Date());
  step('attached');
  const before = await commitEdits(git, branch, head, now.files);
  step('edits');
  const shipped = await commitShipped(git, wanted.files, version, tip);
  step('shipped');
  const stem = await git.mergeBase(before, shipped);
  // Without a common history nothing of theirs may pass for something that Potion has given up.
  const base = stem ? parseFiles(await git.files(stem)) : { nodes: [], credentials: {} };
  const { flows, conflicts } = mergeFlows(base, now.flows, wanted.flows);
  const files = layOut(flows, now, wanted);
  const after = await git.commit(files, [before, shipped], mergeMessage(version, conflicts));
  step('merged');
  await moveTo(git, { branch, from: before, to: after }, now.files, files, step);
  return {
    how: 'merged',
    changed: true,
    before: done?.before ?? before,
    after,
    branch,
    conflicts: [...(done?.conflicts ?? []), ...conflicts],
    changes: changesOf(now.flows.nodes, flows.nodes),
  };
}

/** What an upgrade came to that a crash had cut short, if this finished one. */
async function recovered(git: Git): Promise<Outcome | undefined> {
  const move = await recover(git);
  if (!move || (await git.parents(move.to)).length < 2) return undefined;
  return outcomeOf(git, move);
}

async function outcomeOf(git: Git, { branch, from, to }: Move): Promise<Outcome> {
  const [old, now] = [parseFiles(await git.files(from)), parseFiles(await git.files(to))];
  return {
    how: 'merged',
    changed: true,
    before: from,
    after: to,
    branch,
    conflicts: await conflictsOf(git, to),
    changes: changesOf(old.nodes, now.nodes),
  };
}

/** What came of going back. */
export interface Rollback {
  changed: boolean;
  /** What was there, with edits that were not committed. */
  before: string;
  after: string;
  branch: string;
  /** The branch that keeps `before`. */
  rescue?: string;
}

/**
 * Brings the branch that is checked out and the work tree back to a commit. What was there, with edits that
 * were not committed, stays on a branch of its own. Does nothing where that commit is checked out already.
 * @throws FlowsError (something a person must mend; nothing was touched), GitError, PotionError
 */
export async function rollback(flowsDir: string, to: string, options: Options = {}): Promise<Rollback> {
  const { step = () => {}, now: time = new Date() } = options;
  const dir = resolve(flowsDir);
  refuseStrangePlace(dir, existsSync(join(dir, '.git')));
  const git = await openOrRefuse(dir);
  return alone(git.gitDir, async () => {
    await clearStaleLocks(git.gitDir, dir);
    await refuseUnderWay(git.gitDir, dir);
    await recover(git);
    const target = await git.resolve(to);
    if (!target)
      throw new FlowsError('Nothing was brought back:', [
        { what: `there is no commit ${to} in ${dir}`, hint: 'git log --all shows which there are.' },
      ]);
    const files = await git.files(target);
    parseFiles(files, `The flows of ${to} can't be brought back:`);
    const head = await headOf(git);
    if (head === target)
      return { changed: false, before: head, after: head, branch: (await git.branch()) ?? '' };
    // Broken files are kept like any others: they may be why someone goes back.
    const { files: now } = await readSettled(dir);
    const branch = await attach(git, head, time);
    const same = sameFiles(now, await git.files(head));
    const before = same ? head : await git.commit(now, [head], editsMessage('before going back'));
    const rescue = await freeBranch(git, `rescue/${stamp(time)}`);
    await git.moveBranch(rescue, before, undefined, 'kept before going back');
    step('kept');
    await moveTo(git, { branch, from: head, to: target }, now, files, step);
    return { changed: true, before, after: target, branch, rescue };
  });
}

import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeWhole } from '../../runtime/flows/whole-files.js';
import type { Git } from './git.js';

/**
 * A move of the work tree and a branch from one commit to another, written down before it begins. The work
 * tree changes first and as a whole; whoever finds this later sees by it how far the move has come.
 */
export interface Move {
  branch: string;
  from: string;
  to: string;
}

export async function remember(git: Git, move: Move): Promise<void> {
  await writeWhole(fileOf(git), JSON.stringify(move));
}

export async function forget(git: Git): Promise<void> {
  await rm(fileOf(git), { force: true });
}

/** The move that a crash has interrupted. */
export async function interrupted(git: Git): Promise<Move | undefined> {
  try {
    const { branch, from, to } = JSON.parse(await readFile(fileOf(git), 'utf8')) as Partial<Move>;
    return branch && from && to ? { branch, from, to } : undefined;
  } catch {
    return undefined;
  }
}

function fileOf(git: Git): string {
  return join(git.gitDir, 'potion-pending.json');
}

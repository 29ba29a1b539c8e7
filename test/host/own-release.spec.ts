import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownRelease } from '../../nodes/host/own-release.js';

describe('which Potion this is', () => {
  let work: string;
  before(() => {
    work = mkdtempSync(join(tmpdir(), 'release-'));
  });
  after(() => rmSync(work, { recursive: true }));

  const git = (cwd: string, ...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.org', ...args], {
      cwd,
      encoding: 'utf8',
    }).trim();

  function folder(name: string): string {
    const path = join(work, name);
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'package.json'), '{"version":"1.2.3"}');
    return path;
  }

  it('stands in the name of an installed release', () => {
    assert.deepEqual(ownRelease(folder('1.2.3-abc1234')), { version: '1.2.3', commit: 'abc1234' });
  });

  it('stands in the .git of a clone, also once its refs are packed, on no branch, and in a work tree', () => {
    const clone = folder('clone');
    git(clone, 'init', '-q', '-b', 'main');
    git(clone, 'commit', '-q', '--allow-empty', '-m', 'one');
    const commit = git(clone, 'rev-parse', '--short=7', 'HEAD');
    assert.equal(ownRelease(clone).commit, commit);
    git(clone, 'pack-refs', '--all');
    assert.equal(ownRelease(clone).commit, commit);
    git(clone, 'worktree', 'add', '-q', join(work, 'tree'));
    assert.equal(ownRelease(join(work, 'tree')).commit, commit);
    git(clone, 'checkout', '-q', '--detach');
    assert.equal(ownRelease(clone).commit, commit);
  });

  it('is left out where nothing tells it', () => {
    assert.deepEqual(ownRelease(folder('plain')), { version: '1.2.3', commit: '' });
    assert.deepEqual(ownRelease(join(work, 'nowhere')), { version: '', commit: '' });
  });
});

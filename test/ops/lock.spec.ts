import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HOME } from '../support/node-red.ts';

/** The npm of Debian 12 and Ubuntu 24.04, and the one that came with Node 20 and 22. */
const NPMS = ['9.2.0', '10.9.2'];

describe('package-lock.json', function () {
  this.timeout(120_000);

  for (const version of NPMS) {
    it(`is in order for npm ${version}, which reads it in a way of its own`, () => {
      const copy = mkdtempSync(join(tmpdir(), 'potion-lock-'));
      try {
        for (const file of ['package.json', 'package-lock.json']) cpSync(join(HOME, file), join(copy, file));
        const args = [
          'exec',
          '--yes',
          `npm@${version}`,
          '--',
          'ci',
          '--dry-run',
          '--ignore-scripts',
          '--no-audit',
        ];
        const result = spawnSync('npm', args, { cwd: copy, encoding: 'utf8', timeout: 100_000 });
        assert.equal(result.status, 0, result.stderr);
      } finally {
        rmSync(copy, { recursive: true });
      }
    });
  }
});

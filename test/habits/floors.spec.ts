import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { HOME } from '../support/node-red.ts';

const FORBIDDEN = [
  ['nodes/kit/x.ts', '../host/systemd.js'],
  ['nodes/kit/x.ts', '../state/database.js'],
  ['nodes/kit/x.ts', 'node-red'],
  ['nodes/host/x.ts', '../state/database.js'],
  ['nodes/host/x.ts', 'node-red'],
  ['nodes/state/x.ts', '../host/systemd.js'],
  ['nodes/act/x/x.ts', '../systemctl/systemctl.js'],
  ['nodes/act/x/x.ts', '../../tell/say/say.js'],
  ['nodes/act/x/x.ts', '../../../ops/runtime/log.js'],
  ['ops/runtime/x.ts', '../../nodes/tell/say/say.js'],
] as const;

const ALLOWED = [
  ['nodes/kit/x.ts', './errors.js'],
  ['nodes/host/x.ts', '../kit/run.js'],
  ['nodes/state/x.ts', '../kit/clock.js'],
  ['nodes/act/x/x.ts', './policy.js'],
  ['nodes/act/x/x.ts', '../../host/systemd.js'],
  ['ops/runtime/x.ts', '../../nodes/kit/config.js'],
] as const;

/** Lays each import into a file of its own in an empty tree with Potion's lint rules; the paths that offend. */
function offenders(cases: readonly (readonly [string, string])[]): string[] {
  const tree = mkdtempSync(join(tmpdir(), 'potion-floors-'));
  try {
    cpSync(join(HOME, 'biome.json'), join(tree, 'biome.json'));
    cases.forEach(([file, imported], i) => {
      const path = join(tree, file.replace('x.ts', `x${i}.ts`));
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, `import { x } from '${imported}';\n\nexport const y = x;\n`);
    });
    const lint = spawnSync(
      join(HOME, 'node_modules/.bin/biome'),
      ['lint', '--vcs-enabled=false', '--reporter=github', '--max-diagnostics=none', '.'],
      { cwd: tree, encoding: 'utf8' },
    );
    return cases
      .filter(([file], i) => {
        const name = file.replace('x.ts', `x${i}.ts`);
        return lint.stdout
          .split('\n')
          .some((line) => line.includes(name) && line.includes('noRestrictedImports'));
      })
      .map(([file, imported]) => `${file} imports ${imported}`);
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

describe('the floors', () => {
  const found = offenders([...FORBIDDEN, ...ALLOWED]);

  for (const [file, imported] of FORBIDDEN) {
    it(`${file} may not import ${imported}`, () => {
      assert.ok(
        found.includes(`${file} imports ${imported}`),
        `not refused; refused were: ${found.join('; ')}`,
      );
    });
  }
  for (const [file, imported] of ALLOWED) {
    it(`${file} may import ${imported}`, () => {
      assert.ok(!found.includes(`${file} imports ${imported}`));
    });
  }
});

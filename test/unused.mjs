// Looks for unused files, exports and packages in a copy of the sources alone: beside each source lies its
// built .js, and the checker would follow imports into that.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HOME = join(dirname(fileURLToPath(import.meta.url)), '..');
const copy = mkdtempSync(join(tmpdir(), 'potion-sources-'));
try {
  const listed = spawnSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: HOME, encoding: 'utf8' });
  if (listed.status !== 0) throw new Error(`git could not list the sources: ${listed.stderr}`);
  for (const file of listed.stdout.split('\n').filter(Boolean))
    if (existsSync(join(HOME, file))) cpSync(join(HOME, file), join(copy, file));
  symlinkSync(join(HOME, 'node_modules'), join(copy, 'node_modules'));
  const knip = join(HOME, 'node_modules', '.bin', 'knip');
  process.exitCode = spawnSync(knip, ['--no-progress'], { cwd: copy, stdio: 'inherit' }).status ?? 1;
} finally {
  rmSync(copy, { recursive: true, force: true });
}

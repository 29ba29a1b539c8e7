import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogsFinding } from './findings.js';

const MB = 1024 ** 2;
/** logrotate takes it at 10 MB, once a day or oftener: five times that means that it does not run. */
const NOT_ROTATED = 50 * MB;
const LARGE = 1024 * MB;

/** How large the logs are. What can't be read counts for nothing. */
export async function lookAtLogs(
  logDir: string,
  journals = ['/var/log/journal', '/run/log/journal'],
): Promise<LogsFinding> {
  const runtime = await stat(join(logDir, 'runtime.log')).then(
    ({ size }) => size,
    () => undefined,
  );
  const [total, ...journal] = await Promise.all([logDir, ...journals].map(sizeOf));
  const finding: LogsFinding = { runtime, total, journal: sum(journal) };
  if ((runtime ?? 0) > NOT_ROTATED) finding.problem = 'not-rotated';
  else if ((total ?? 0) > LARGE) finding.problem = 'large';
  return finding;
}

/** Bytes that the files in a folder and one below it take on the disk; undefined when it is not there. */
async function sizeOf(folder: string): Promise<number | undefined> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
  if (!entries) return undefined;
  const below = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
  const inside = await Promise.all(
    below.map((folder) =>
      readdir(folder).then(
        (names) => names.map((name) => join(folder, name)),
        () => [],
      ),
    ),
  );
  const files = entries.filter((entry) => entry.isFile()).map(({ name }) => join(folder, name));
  const sizes = [...files, ...inside.flat()].map((file) =>
    stat(file).then(
      ({ blocks }) => blocks * 512,
      () => 0,
    ),
  );
  return sum(await Promise.all(sizes));
}

function sum(sizes: readonly (number | undefined)[]): number {
  return sizes.reduce<number>((all, size) => all + (size ?? 0), 0);
}

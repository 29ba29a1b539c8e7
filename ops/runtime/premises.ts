import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type Config, ConfigError } from '../../nodes/kit/config.js';
import { describe } from '../../nodes/kit/errors.js';

/**
 * Makes the data folder, which only Potion's own user and group may enter, and looks for the flows' folder.
 * @throws ConfigError naming the variable
 */
export function prepareFolders({ dataDir, flowsDir }: Pick<Config, 'dataDir' | 'flowsDir'>): void {
  const problems: string[] = [];
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o750 });
    accessSync(dataDir, constants.W_OK | constants.X_OK);
  } catch (thrown) {
    problems.push(
      `DATA_DIR: ${dataDir} can't be used (${describe(thrown)}); give it to the user that runs Potion, or name another folder`,
    );
  }
  // An empty canvas in place of a person's flows would be worse than no start. Where there were flows before,
  // their storage knows more to say.
  if (!existsSync(flowsDir) && !existsSync(join(dataDir, 'flows-last.json')))
    problems.push(
      `FLOWS_DIR: there is no folder ${flowsDir}; mend the path, or make the folder to start with an empty canvas`,
    );
  if (problems.length > 0) throw new ConfigError(problems);
}

/** Why nothing can listen on this address; undefined when it is free. */
export function whyNotFree(port: number, address: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    probe.listen(port, address, () => probe.close(() => resolve(undefined)));
  });
}

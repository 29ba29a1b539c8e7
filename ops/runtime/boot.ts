import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { loadEnvFile } from 'node:process';
import { type Config, readConfig, setConfig } from '../../nodes/kit/config.js';
import { describe, type PotionError } from '../../nodes/kit/errors.js';
import { whenFinal } from '../../nodes/state/database.js';
import { embedSandbox } from '../sandbox/embed.js';
import { hangDoor } from './door/front-door.js';
import { flowStorage } from './flow-storage.js';
import { cleanConsole, runtimeLog } from './log.js';
import { prepareFolders, whyNotFree } from './premises.js';

/** EX_CONFIG: only a person can mend it. */
const BROKEN = 78;

/**
 * Reads `.env`, checks it and prepares what settings.ts needs. What is wrong is named on the console and ends
 * the process with exit code 78 (EX_CONFIG), so that no half-configured Potion runs.
 */
export function boot(home: string) {
  const config = configOrExit(home);
  try {
    prepareFolders(config);
  } catch (thrown) {
    refuse(describe(thrown), BROKEN);
  }
  const secrets = [config.botToken, config.ownerBotToken, config.editorPasswordHash, config.heartbeatUrl];
  cleanConsole(secrets);
  // Flow files refer to these as ${NAME}; defaults must be there too.
  process.env.TELEGRAM_API_URL = config.telegramApiUrl;
  const storage = flowStorage(config);
  const handler = runtimeLog(config.logDir, secrets);
  whenFinal((error) => stop(error, handler()));
  return {
    config,
    // Node-RED waits for `init` before it reads the flows, so the bot's address is known when they start.
    storage: {
      ...storage,
      init: async (...given: Parameters<typeof storage.init>) => {
        await refuseTakenPort(config);
        await embedSandbox(config);
        await storage.init(...given);
      },
    },
    log: { handler },
    door: hangDoor(config, (msg) => handler()({ level: 30, msg, timestamp: Date.now() })),
  };
}

/** Reads `.env` and checks it; ends the process with exit code 78 when it is wrong. */
export function configOrExit(home: string): Config {
  try {
    const file = join(home, '.env');
    if (existsSync(file)) {
      loadEnvFile(file);
      if (statSync(file).mode & 0o077)
        process.stderr.write('potion: .env can be read by others; run: chmod 600 .env\n');
    }
    process.env.POTION_HOME ??= home;
    const config = readConfig(process.env, home);
    setConfig(config);
    return config;
  } catch (thrown) {
    refuse(describe(thrown), BROKEN);
  }
}

/** Before anything is touched: the program that has the port may be another Potion with the same data. */
async function refuseTakenPort({ port, editorBind }: Config): Promise<void> {
  const why = await whyNotFree(port, editorBind);
  if (why === 'EADDRINUSE')
    refuse(
      `POTION_PORT: ${port} is taken on ${editorBind}, perhaps by another Potion; stop that, or set another port`,
      1,
    );
  if (why !== undefined)
    refuse(`POTION_PORT, EDITOR_BIND: nothing can listen on ${editorBind}:${port} (${why})`, 1);
}

/** Nothing may be done without a record of it, and a fresh start is for a person to ask for. */
function stop(error: PotionError, log: ReturnType<ReturnType<typeof runtimeLog>>): never {
  log({ level: 10, msg: error, timestamp: Date.now() });
  process.exit(BROKEN);
}

function refuse(why: string, code: number): never {
  process.stderr.write(`potion: ${why}\n`);
  process.exit(code);
}

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../nodes/kit/config.js';
import { FlowKeeper } from './flows/keeper.js';
import { library } from './flows/library.js';
import { type Credentials, type FlowNode, isOwner } from './flows/model.js';
import { FlowsError } from './flows/problem.js';
import { writeWhole } from './flows/whole-files.js';

/** The part of Node-RED's runtime that a storage module gets and this one uses. */
interface Runtime {
  log: Record<'info' | 'warn' | 'error', (text: string) => void>;
  events?: { emit(event: string, payload: object): void };
}

/** EX_CONFIG: systemd is told not to try again, because only a person can mend a file. */
const BROKEN = 78;

/**
 * Node-RED's storage: flows as one file per tab in git (see flows/), the rest (snippets, editor settings,
 * logins) in Node-RED's user folder.
 *
 * A plain object, because Node-RED looks for own properties. It ends the process when the files can't be
 * used: thrown errors would leave a Node-RED that runs with an empty canvas.
 */
export function flowStorage(config: Config) {
  const keeper = new FlowKeeper(config);
  const userDir = join(config.dataDir, 'node-red');
  let runtime: Runtime | undefined;
  // Node-RED's own credential store: it hands out the object itself and goes on working with it.
  let live: Credentials = {};

  return {
    async init(_settings: unknown, theRuntime: Runtime) {
      runtime = theRuntime;
      try {
        await prepareUserDir(userDir);
        const { settled, files, flows } = await keeper.load();
        if (settled === 'dropped')
          runtime.log.warn(
            'A save of the flows was cut short before it was complete: the flows are as before.',
          );
        if (settled === 'completed')
          runtime.log.warn('A save of the flows was cut short after it was complete: it was finished now.');
        runtime.log.info(
          files.size === 0
            ? `No flow files in ${config.flowsDir} yet: starting with an empty canvas.`
            : `Flow files: ${flows.nodes.filter(isOwner).length} tabs and subflows, ${flows.nodes.length} nodes in ${config.flowsDir}`,
        );
      } catch (thrown) {
        runtime.log.error(`Potion does not start. ${wordsFor(thrown)}`);
        process.exit(BROKEN);
      }
    },

    async getFlows(): Promise<FlowNode[]> {
      try {
        await keeper.load();
      } catch (thrown) {
        // Node-RED would forget its flows over an error here; what runs is what was good last.
        const words = `The flow files were not loaded; the flows from before stay. ${wordsFor(thrown)}`;
        runtime?.log.error(words);
        tellEditors(runtime, words);
      }
      return structuredClone(keeper.flows.nodes);
    },

    async saveFlows(nodes: FlowNode[]) {
      try {
        await keeper.save(structuredClone(nodes), live);
      } catch (thrown) {
        restore(live, keeper.flows.credentials);
        if (thrown instanceof Error) thrown.message = forEditor(thrown.message);
        throw thrown;
      }
    },

    async getCredentials(): Promise<Credentials> {
      live = structuredClone(keeper.flows.credentials);
      return live;
    },

    /** Node-RED calls saveFlows right after it, which writes both as one. */
    async saveCredentials(credentials: Credentials) {
      live = credentials;
    },

    ...library(join(userDir, 'lib')),
    ...keptFile('Settings', join(userDir, 'settings.json')),
    ...keptFile('Sessions', join(userDir, 'sessions.json')),
  };
}

/** Takes a refused change out of Node-RED's store, or the next deploy would let it pass unseen. */
function restore(live: Credentials, saved: Credentials): void {
  for (const id of Object.keys(live)) delete live[id];
  Object.assign(live, structuredClone(saved));
}

/** Node-RED lists the packages of this folder and complains when it has no package.json. */
async function prepareUserDir(userDir: string): Promise<void> {
  const file = join(userDir, 'package.json');
  if (existsSync(file)) return;
  const content = { name: 'potion-node-red', version: '0.0.1', private: true };
  await writeWhole(file, `${JSON.stringify(content, null, 2)}\n`, 0o644);
}

/** A get/save pair for something that Node-RED keeps whole and that may be lost. */
function keptFile<Name extends string>(name: Name, path: string) {
  return {
    [`get${name}`]: async () => {
      try {
        return JSON.parse(readFileSync(path, 'utf8')) as object;
      } catch {
        return {};
      }
    },
    [`save${name}`]: (value: object) => writeWhole(path, JSON.stringify(value)),
  } as Record<`get${Name}`, () => Promise<object>> & Record<`save${Name}`, (value: object) => Promise<void>>;
}

function tellEditors(runtime: Runtime | undefined, text: string): void {
  // A colon would part a translation key from its catalogue here; this one only looks like it.
  const payload = { type: 'error', text: forEditor(text).replaceAll(':', '∶') };
  runtime?.events?.emit('runtime-event', { id: 'potion-flows', payload, retain: false });
}

/** The editor puts a message into its page as it comes, as HTML, with line breaks spelled out. */
function forEditor(text: string): string {
  return text
    .replace(/\s*\n\s*/g, ' — ')
    .replaceAll('<', '‹')
    .replaceAll('>', '›');
}

function wordsFor(thrown: unknown): string {
  if (thrown instanceof FlowsError) return thrown.message;
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
}

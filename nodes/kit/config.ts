import { join } from 'node:path';
import { type Config, readConfig } from './environment.js';

export { type Config, ConfigError, isLoopback, readConfig, unitName } from './environment.js';

/** What counts in place of what `.env` gives. */
export type Overlay = (given: Config) => Config;

/** Told of every change of what counts, with what counted before. */
export type OnConfigChange = (now: Config, before: Config) => void;

let given: Config | undefined;
let overlay: Overlay | undefined;
let counts: Config | undefined;
let hostsFolder: string | undefined;
const listeners = new Set<OnConfigChange>();

/**
 * Whether Potion's nodes were added to somebody else's Node-RED: settings.ts, which sets POTION_HOME, did not
 * start this process. What changes the whole of Node-RED must keep still there.
 */
export function isGuest(): boolean {
  return process.env.POTION_HOME === undefined;
}

/** Names the folder of the Node-RED that this process is; a guest keeps its files below it. */
export function stayIn(userDir: string | undefined): void {
  hostsFolder = userDir && join(userDir, 'potion');
}

/**
 * The configuration that counts now: what the environment gives, and over it what was set in the chat. Ask each
 * time that it matters, or follow it with `onConfigChange`.
 */
export function config(): Config {
  counts ??= overlay ? overlay(givenConfig()) : givenConfig();
  return counts;
}

/** What the environment alone gives, read once. */
export function givenConfig(): Config {
  given ??= readConfig(process.env, process.env.POTION_HOME ?? hostsFolder ?? process.cwd());
  return given;
}

/** Sets what the environment gives: at start-up, and in tests. `undefined` reads it anew and forgets the rest. */
export function setConfig(value: Config | undefined): void {
  if (value === undefined) overlay = undefined;
  replace(() => {
    given = value;
  });
}

/** Lays what was set in the chat over it; `undefined` takes that away. Whoever follows is told at once. */
export function overlayConfig(value: Overlay | undefined): void {
  replace(() => {
    overlay = value;
  });
}

/** Follows what counts. @returns ends it */
export function onConfigChange(listener: OnConfigChange): () => void {
  const own: OnConfigChange = (now, before) => listener(now, before);
  listeners.add(own);
  return () => listeners.delete(own);
}

function replace(work: () => void): void {
  const before = counts;
  work();
  counts = undefined;
  if (before === undefined || listeners.size === 0) return;
  const now = config();
  for (const listener of [...listeners]) {
    try {
      listener(now, before);
    } catch (thrown) {
      // One that can't follow must not keep the others from it.
      process.emitWarning(thrown as Error);
    }
  }
}

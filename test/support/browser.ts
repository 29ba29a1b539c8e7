import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { CHROMIUM } from './needs.ts';

const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
const QUIET = ['--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** One browser with a profile of its own. */
export interface Browser {
  page: Page;
  context: BrowserContext;
  /** Errors of scripts and the console, and requests to other machines. Should stay empty. */
  troubles: string[];
  close(): Promise<void>;
}

/** Where it runs and what it knows, when that is not this machine alone. */
export interface Elsewhere {
  /** Put before the command, e.g. to run it in a network namespace. */
  within: string[];
  /** Addresses of names. */
  names: Record<string, string>;
}

/** Starts headless Chromium; first `needs(this, 'chromium')`. */
export async function startBrowser(
  viewport = { width: 390, height: 844 },
  { within, names }: Elsewhere = { within: [], names: {} },
): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), 'potion-browser-'));
  const program = join(profile, 'chromium.sh');
  writeFileSync(program, `#!/bin/sh\nexec ${within.join(' ')} ${CHROMIUM} "$@"\n`, { mode: 0o755 });
  const rules = Object.entries(names).map(([name, address]) => `MAP ${name} ${address}`);
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: within.length > 0 ? program : CHROMIUM,
    headless: true,
    args: [...ARGS, ...QUIET, ...(rules.length > 0 ? [`--host-resolver-rules=${rules.join(',')}`] : [])],
    viewport,
    acceptDownloads: true,
  });
  const troubles: string[] = [];
  const page = context.pages()[0] ?? (await context.newPage());
  page.on('pageerror', (error) => troubles.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') troubles.push(message.text());
  });
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (!['127.0.0.1', '', ...Object.entries(names).flat()].includes(url.hostname))
      troubles.push(`asked ${url.host}`);
  });
  return {
    page,
    context,
    troubles,
    close: async () => {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

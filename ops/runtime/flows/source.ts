import { existsSync, lstatSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { run } from '../../../nodes/kit/run.js';
import { fromBundle } from './bundle.js';
import { readFolder } from './folder.js';
import { type Flows, ORDER } from './model.js';
import { parseFiles } from './parse.js';
import { FlowsError } from './problem.js';

// A slow line and a large history's tip; the person is watching.
const CLONE_WITHIN = 180_000;

/**
 * Reads the flows that a person names: an export of Node-RED, a folder (Potion's flow files, or one with
 * `flows.json` or `flows/` in it), or the address of a git repository.
 * @param cwd where relative paths start
 * @throws FlowsError, PotionError
 */
export async function readSource(source: string, cwd: string): Promise<Flows> {
  const kind = kindOf(source, cwd);
  if (kind === 'file') return fromBundle(source, readFileSync(resolve(cwd, source), 'utf8'));
  if (kind === 'folder') return readFlowFolder(resolve(cwd, source));
  const work = mkdtempSync(join(tmpdir(), 'potion-import-'));
  try {
    const address = kind === 'git path' ? resolve(cwd, source) : source;
    await clone(address, join(work, 'clone'), cwd);
    return await readFlowFolder(join(work, 'clone'));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

type Kind = 'file' | 'folder' | 'git path' | 'git address';

/** What a source is. @throws FlowsError when it is nothing that may be read */
export function kindOf(source: string, cwd: string): Kind {
  const path = resolve(cwd, source);
  if (!source.startsWith('-') && existsSync(path)) {
    if (!statSync(path).isDirectory()) return 'file';
    return existsSync(join(path, 'HEAD')) && existsSync(join(path, 'objects')) ? 'git path' : 'folder';
  }
  const hint = 'Give a file, a folder, or an address such as https://…, ssh://…, git@host:path or file://….';
  const refuse = (what: string) => new FlowsError(`${source} can't be brought in:`, [{ what, hint }]);
  if (source.startsWith('-')) throw refuse('this looks like an option');
  if (/^[\w+.-]+::/.test(source)) throw refuse('this would run a program of its own (git remote helper)');
  if (/^(https|ssh|file):\/\/[^-]/.test(source)) {
    if (URL.canParse(source) && new URL(source).password !== '')
      throw new FlowsError('The address holds a password:', [
        {
          what: 'other users could read it in the list of processes',
          hint: 'Use ssh, or git’s own credential store.',
        },
      ]);
    return 'git address';
  }
  if (/^[\w.-]+@[\w.][\w.-]*:[^-]/.test(source)) return 'git address';
  throw refuse(
    /^\w+:\/\//.test(source) ? 'this kind of address is not allowed' : 'there is no such file or folder',
  );
}

async function clone(address: string, into: string, cwd: string): Promise<void> {
  // Links in the repository become plain files, and no other transport may be reached through it.
  const args = ['-c', 'core.symlinks=false', '-c', 'protocol.ext.allow=never', 'clone', '--quiet'];
  const { SSH_AUTH_SOCK } = process.env;
  const result = await run('git', [...args, '--depth', '1', '--no-tags', '--', address, into], {
    cwd,
    timeout: CLONE_WITHIN,
    env: {
      GIT_TERMINAL_PROMPT: '0',
      GIT_ALLOW_PROTOCOL: 'https:ssh:file',
      ...(SSH_AUTH_SOCK ? { SSH_AUTH_SOCK } : {}),
    },
  });
  if (!existsSync(join(into, '.git')))
    throw new FlowsError(`git could not fetch ${address}:`, [
      {
        what: result.stderr.replace(/\s+/g, ' ').slice(-500),
        hint: 'Check the address and your access to it.',
      },
    ]);
}

async function readFlowFolder(dir: string): Promise<Flows> {
  const inner = join(dir, 'flows');
  const isOwn = existsSync(join(dir, ORDER));
  if (!isOwn && existsSync(inner) && lstatSync(inner).isDirectory()) return readFlowFolder(inner);
  const whole = join(dir, 'flows.json');
  if (!isOwn && existsSync(whole) && lstatSync(whole).isFile())
    return fromBundle('flows.json', readFileSync(whole, 'utf8'));
  const flows = parseFiles((await readFolder(dir)) ?? new Map(), `The flow files in ${dir} need mending:`);
  if (flows.nodes.length > 0) return flows;
  throw new FlowsError(`There are no flows in ${dir}:`, [
    { what: `neither flow files nor flows.json`, hint: 'Name the folder that holds them.' },
  ]);
}

import { type Dirent, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** A secret by the name that a finding calls it. */
export type Secrets = Readonly<Record<string, string>>;

/** The forms in which a secret could slip through: as it is, in an address, in Base64 at any place of a text. */
function formsOf(secret: string): [form: string, text: string][] {
  const encoded = encodeURIComponent(secret);
  const forms: [string, string][] = [
    ['as it is', secret],
    ['url-encoded', encoded],
    ['url-encoded', encoded.replace(/%[\dA-F]{2}/g, (sign) => sign.toLowerCase())],
    ['as JSON', JSON.stringify(secret).slice(1, -1)],
    ['as hex', Buffer.from(secret).toString('hex')],
  ];
  for (const before of [0, 1, 2]) {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)]);
    // Signs at both ends depend on what stands beside the secret.
    const start = before === 0 ? 0 : before + 1;
    const length = Math.floor((bytes.length * 8) / 6);
    forms.push(['Base64', bytes.toString('base64').slice(start, length)]);
    forms.push(['Base64url', bytes.toString('base64url').slice(start, length)]);
  }
  return forms;
}

/** Which secrets stand in a text or bytes, in which form. */
export function secretsIn(content: string | Buffer, secrets: Secrets): string[] {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const found = new Set<string>();
  for (const [name, secret] of Object.entries(secrets))
    for (const [form, text] of formsOf(secret)) if (bytes.includes(text)) found.add(`${name} ${form}`);
  return [...found];
}

export interface Search {
  /** Files and bytes that were looked through. */
  files: number;
  bytes: number;
  /** `path: secret form`, one for each finding. */
  found: string[];
}

/** Looks through every regular file below the folders, compressed ones too; `except` names files that may hold secrets. */
export function searchFolders(
  folders: readonly string[],
  secrets: Secrets,
  except: (path: string) => boolean = () => false,
): Search {
  const search: Search = { files: 0, bytes: 0, found: [] };
  const look = (path: string) => {
    const bytes = readFileSync(path);
    search.files++;
    search.bytes += bytes.length;
    const plain = path.endsWith('.gz') ? gunzipSync(bytes) : bytes;
    for (const what of secretsIn(plain, secrets)) search.found.push(`${path}: ${what}`);
  };
  const walk = (folder: string) => {
    for (const entry of entriesOf(folder)) {
      const path = join(folder, entry.name);
      for (const what of secretsIn(entry.name, secrets)) search.found.push(`${path}: name has ${what}`);
      if (entry.isDirectory()) walk(path);
      else if (entry.isFile() && !except(path)) look(path);
    }
  };
  folders.forEach(walk);
  return search;
}

function entriesOf(folder: string): Dirent[] {
  return readdirSync(folder, { withFileTypes: true });
}

/**
 * Collects the arguments of a process and of every process that it starts, which anybody on the machine can read,
 * as long as it runs. @returns what ends it and gives all that was seen
 */
export function watchArguments(pid: number): () => string[] {
  const seen = new Set<string>();
  const family = new Set([pid]);
  const look = () => {
    for (const name of readdirSync('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      try {
        const parent = Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${name}/status`, 'utf8'))?.[1]);
        if (!family.has(Number(name)) && !family.has(parent)) continue;
        family.add(Number(name));
        seen.add(readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' '));
      } catch {
        // It has ended meanwhile.
      }
    }
  };
  look();
  const timer = setInterval(look, 25);
  return () => {
    clearInterval(timer);
    look();
    return [...seen];
  };
}

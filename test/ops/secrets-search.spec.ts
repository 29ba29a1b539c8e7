import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { gzipSync } from 'node:zlib';
import { redact } from '../../nodes/kit/redact.js';
import { searchFolders, secretsIn, watchArguments } from '../support/secrets.ts';

const TOKEN = '1234567:AAx_Y-zzzzzzzzzzzzzzzzzzzzzzzzzzzzz';
const SECRETS = { token: TOKEN, hash: '$2b$08$R.SWybMDoa1ppQSOuHWWAO5/cc7dTAwjxatMiZQPXAObAKbgusYsK' };

describe('the search for secrets', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'potion-search-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  for (const [form, text] of [
    ['as it is', `GET /bot${TOKEN}/getMe`],
    ['url-encoded', `?u=${encodeURIComponent(TOKEN)}`],
    ['url-encoded', `?u=${TOKEN.replace(':', '%3a')}`],
    ['as hex', Buffer.from(`x${TOKEN}y`).toString('hex')],
    ['Base64', Buffer.from(`${TOKEN} more`).toString('base64')],
    ['Base64', Buffer.from(`u${TOKEN}`).toString('base64')],
    ['Base64url', Buffer.from(`us${TOKEN}:x`).toString('base64url')],
  ] as const)
    it(`finds one ${form}: ${text.slice(0, 12)}…`, () => {
      assert.ok(secretsIn(`before ${text} after`, SECRETS).includes(`token ${form}`));
    });

  it('finds one in a folder below, in a compressed log, in a name and in a database that was not closed', () => {
    mkdirSync(join(folder, 'a', 'b'), { recursive: true });
    writeFileSync(join(folder, 'a', 'b', 'x.log.2.gz'), gzipSync(`it is ${SECRETS.hash}`));
    writeFileSync(join(folder, 'a', `${TOKEN}.txt`), '');
    const db = new DatabaseSync(join(folder, 'x.db'));
    db.exec(`PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES ('${TOKEN}')`);
    const { found, files } = searchFolders([folder], SECRETS);
    db.close();
    assert.ok(files >= 4);
    assert.deepEqual(
      found.map((line) => line.slice(folder.length + 1)).sort(),
      [
        `a/${TOKEN}.txt: name has token as it is`,
        `a/${TOKEN}.txt: name has token as JSON`,
        'a/b/x.log.2.gz: hash as it is',
        'a/b/x.log.2.gz: hash as JSON',
        'x.db-wal: token as it is',
        'x.db-wal: token as JSON',
      ].sort(),
    );
  });

  it('finds one among the arguments of what a process has started', async () => {
    const child = spawn('sh', ['-c', 'sh -c "sleep 0.3; :" "$TOKEN"; sleep 5'], {
      env: { ...process.env, TOKEN },
    });
    const end = watchArguments(child.pid as number);
    const deadline = performance.now() + 5000;
    let seen: string[] = [];
    await new Promise((resolve) => setTimeout(resolve, 250));
    while (seen.length < 2 && performance.now() < deadline) seen = end();
    child.kill();
    assert.ok(
      seen.some((line) => secretsIn(line, SECRETS).length > 0),
      seen.join('\n'),
    );
  });
});

describe('taking secrets out of a text', () => {
  it('knows a token in an address that was encoded too', () => {
    for (const text of [TOKEN, encodeURIComponent(TOKEN), TOKEN.replace(':', '%3a')])
      assert.equal(redact(`to /bot${text}/x`), 'to /bot<token>/x');
  });

  it('takes the given ones out in every form', () => {
    const secret = 'https://hc.example/ping?key=a b/ü%';
    for (const text of [secret, encodeURIComponent(secret), JSON.stringify(secret), new URL(secret).href])
      assert.deepEqual(secretsIn(redact(`it is ${text}`, [secret]), { secret }), []);
  });
});

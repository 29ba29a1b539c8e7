import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { distrustOf, trustedOwners, whyDistrust } from '../../nodes/host/trusted-file.js';
import { HOME } from '../support/node-red.ts';

const self = process.geteuid?.() ?? 0;
const OWNERS = [0, self];

describe('a file that is relied on', () => {
  let home: string;
  let file: string;
  beforeEach(() => {
    home = realpathSync(mkdtempSync(join(tmpdir(), 'potion-trust-')));
    mkdirSync(join(home, 'etc'));
    file = join(home, 'etc', 'list');
    writeFileSync(file, 'x', { mode: 0o644 });
  });
  afterEach(() => rmSync(home, { recursive: true }));

  it('belongs to one of its owners, and nobody else may write it', () => {
    assert.equal(distrustOf(file, OWNERS), undefined);
    assert.deepEqual(distrustOf(file, [4_000_000]), { why: 'owner', path: '/' });
    chmodSync(file, 0o664);
    assert.deepEqual(distrustOf(file, OWNERS), { why: 'writable', path: file });
    chmodSync(file, 0o646);
    assert.deepEqual(distrustOf(file, OWNERS), { why: 'writable', path: file });
  });

  it('lies in folders that nobody else may write', () => {
    chmodSync(join(home, 'etc'), 0o777);
    assert.deepEqual(distrustOf(file, OWNERS), { why: 'writable', path: join(home, 'etc') });
    chmodSync(join(home, 'etc'), 0o1777);
    assert.equal(distrustOf(file, OWNERS), undefined);
  });

  it('is not reached over a link that somebody else could turn', () => {
    mkdirSync(join(home, 'open'), { mode: 0o777 });
    chmodSync(join(home, 'open'), 0o777);
    symlinkSync(join(home, 'etc'), join(home, 'open', 'etc'));
    symlinkSync('open/etc', join(home, 'link'));
    assert.equal(distrustOf(join(home, 'etc', '..', 'etc', 'list'), OWNERS), undefined);
    assert.deepEqual(distrustOf(join(home, 'link', 'list'), OWNERS), {
      why: 'writable',
      path: join(home, 'open'),
    });
  });

  it('is a regular file', () => {
    assert.equal(distrustOf(join(home, 'etc'), OWNERS)?.why, 'not-a-file');
    symlinkSync('round', join(home, 'round'));
    assert.throws(() => distrustOf(join(home, 'round'), OWNERS), { code: 'ELOOP' });
    assert.throws(() => distrustOf(join(home, 'nothing'), OWNERS), { code: 'ENOENT' });
  });

  it('may belong to whoever owns Potion’s code and runs it, not to the user of an installed Potion', () => {
    assert.deepEqual(trustedOwners(), self === 0 ? [0] : [0, self]);
    assert.equal(whyDistrust({ uid: 998, mode: 0o600 }, false, [0]), 'owner');
  });

  it('is not the file of a user who runs a Potion of root’s', function () {
    if (self !== 0) return this.skip();
    const code = join(HOME, 'nodes/host/trusted-file.js');
    chmodSync(home, 0o755);
    const own = join(home, 'own.js');
    writeFileSync(
      own,
      `const t = require(${JSON.stringify(code)}); console.log(JSON.stringify(t.trustedOwners()))`,
    );
    const asked = spawnSync(process.execPath, [own], { uid: 65_534, gid: 65_534, encoding: 'utf8' });
    if (/EACCES|MODULE_NOT_FOUND/.test(asked.stderr)) return this.skip();
    assert.equal(asked.stdout.trim(), '[0]');
    chownSync(file, 65_534, 65_534);
    assert.deepEqual(distrustOf(file, [0]), { why: 'owner', path: file });
  });
});

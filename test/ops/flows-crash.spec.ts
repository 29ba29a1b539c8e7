import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readSettled, update } from '../../ops/runtime/flows/commit.js';

const CRASH_SAVE = join(import.meta.dirname, '..', 'support', 'crash-save.ts');
const run = promisify(execFile);

const OLD = { 'order.txt': 'a.json\nb.json\n', 'a.json': '["a"]', 'b.json': '["b"]', 'same.json': '[]' };
// One changed, one renamed, one deleted, one new, one as it was.
const NEW = {
  'order.txt': 'a.json\nc.json\nd.json\n',
  'a.json': '["a2"]',
  'c.json': '["b"]',
  'd.json': '["d"]',
  'same.json': '[]',
};

/** The step from which on the new set is the valid one. */
const DECIDED = 7;

describe('saving several flow files as one', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'potion-save-'));
    for (const [name, text] of Object.entries(OLD)) writeFileSync(join(dir, name), text);
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const onDisk = () =>
    Object.fromEntries(
      readdirSync(dir)
        .sort()
        .map((name) => [name, readFileSync(join(dir, name), 'utf8')]),
    );
  const sorted = (files: object) => Object.fromEntries(Object.entries(files).sort());
  /** Saves NEW in a process that SIGKILL ends after that many steps; false when it came to its end. */
  const crashAfter = (step: number) =>
    run(process.execPath, [CRASH_SAVE, dir, String(step), JSON.stringify(NEW)]).then(
      () => false,
      ({ signal }) => signal === 'SIGKILL',
    );

  it('leaves the old set or the new one, whole, wherever a crash hits', async function () {
    this.timeout(60_000);
    const found: string[] = [];
    for (let step = 1; await crashAfter(step); step++) {
      const { files, settled } = await readSettled(dir);
      found.push(settled);
      const which = step < DECIDED ? OLD : NEW;
      assert.deepEqual(sorted(Object.fromEntries(files)), sorted(which), `after step ${step} (${settled})`);
      assert.deepEqual(onDisk(), sorted(which), 'and nothing else is left in the folder');
      await update(dir, () => new Map(Object.entries(OLD)));
    }
    assert.deepEqual(found, [
      'clean', // only the work folder was there
      ...Array(5).fill('dropped'), // four texts, then the manifest under its first name
      ...Array(7).fill('completed'), // decided; four moved, one removed, folder written
      'clean', // only the empty work folder was left
    ]);
    assert.deepEqual(onDisk(), sorted(NEW), 'the last one was not ended');
  });

  it('finishes what a crash had decided even when it crashes again while finishing', async () => {
    await crashAfter(DECIDED);
    // As far as a second crash could have got: one file moved, the manifest still there.
    writeFileSync(join(dir, 'a.json'), NEW['a.json']);
    rmSync(join(dir, '.saving', 'a.json'));
    assert.equal((await readSettled(dir)).settled, 'completed');
    assert.deepEqual(onDisk(), sorted(NEW));
  });

  it('does not delete a file that someone has put there since', async () => {
    await crashAfter(DECIDED);
    writeFileSync(join(dir, 'b.json'), '["mended by hand"]');
    await readSettled(dir);
    assert.equal(onDisk()['b.json'], '["mended by hand"]');
  });

  it('writes nothing when the new set is refused', async () => {
    const refuse = () => {
      throw new Error('no');
    };
    await assert.rejects(update(dir, refuse), /^Error: no$/);
    assert.deepEqual(onDisk(), sorted(OLD));
  });

  it('runs one save after another, and reads in between see whole sets', async () => {
    const set = (n: number) => new Map(['a', 'b', 'c', 'd'].map((name) => [`${name}.json`, `[${n}]`]));
    await update(dir, () => set(0));
    const reads: Promise<unknown>[] = [];
    const saves = Array.from({ length: 10 }, (_, n) => {
      reads.push(readSettled(dir).then(({ files }) => assert.equal(new Set(files.values()).size, 1)));
      return update(dir, () => set(n + 1));
    });
    await Promise.all([...saves, ...reads]);
    assert.deepEqual(onDisk()['d.json'], '[10]');
  });

  it('waits for another process that is saving', async () => {
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    mkdirSync(join(dir, '.saving'));
    writeFileSync(join(dir, '.saving', 'owner'), String(other.pid));
    let read = false;
    const reading = readSettled(dir).then(() => {
      read = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 150));
    assert.equal(read, false);
    other.kill('SIGKILL');
    await reading;
    assert.deepEqual(onDisk(), sorted(OLD));
  });

  it('refuses a manifest that names files outside of the folder', async () => {
    mkdirSync(join(dir, '.saving'));
    writeFileSync(join(dir, '.saving', 'manifest.json'), '{"write":["../x.json"],"remove":[]}');
    writeFileSync(join(dir, '.saving', 'owner'), String(process.pid));
    await assert.rejects(readSettled(dir), /files outside of the folder/);
  });

  it('refuses a link in the place of its work folder', async () => {
    symlinkSync(tmpdir(), join(dir, '.saving'));
    await assert.rejects(readSettled(dir), /\.saving is in the way/);
  });
});

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LogFile, type LogFileOptions } from '../../nodes/kit/log-file.js';
import { needs } from '../support/needs.ts';

describe('a log file', () => {
  let folder: string;
  let path: string;
  let now: number;
  let troubles: string[];
  let log: LogFile;

  const make = (options: LogFileOptions = {}) =>
    new LogFile(path, { clock: () => now, onTrouble: (thrown) => troubles.push(String(thrown)), ...options });
  const text = (name = 'x.log') => readFileSync(join(folder, 'logs', name), 'utf8');

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'potion-logfile-'));
    path = join(folder, 'logs', 'x.log');
    now = 0;
    troubles = [];
    log = make();
  });
  afterEach(() => {
    log.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('makes its folder and itself for its owner and group alone', () => {
    assert.ok(log.write('one'));
    assert.equal(statSync(path).mode & 0o007, 0);
    assert.equal(statSync(join(folder, 'logs')).mode & 0o007, 0);
    assert.equal(text(), 'one\n');
  });

  it('goes on in the new file as soon as a rotation has made one', () => {
    log.write('one');
    renameSync(path, `${path}.1`);
    writeFileSync(path, '');
    log.write('two');
    assert.deepEqual([text('x.log.1'), text()], ['one\n', 'two\n']);
  });

  it('is not in the way between the renaming and the making of a new file', () => {
    log.write('one');
    renameSync(path, `${path}.1`);
    log.write('two');
    assert.ok(!existsSync(path));
    assert.equal(text('x.log.1'), 'one\ntwo\n');
  });

  it('makes a new file where a rotation was cut short', () => {
    log.write('one');
    renameSync(path, `${path}.1`);
    log.write('two');
    now += 5000;
    log.write('three');
    assert.deepEqual([text('x.log.1'), text()], ['one\ntwo\n', 'three\n']);
  });

  it('makes a new file when told of a rotation that made none', () => {
    log.write('one');
    renameSync(path, `${path}.1`);
    log.reopen();
    log.write('two');
    assert.equal(text(), 'two\n');
  });

  it('comes back at once when its folder was removed', () => {
    log.write('one');
    rmSync(join(folder, 'logs'), { recursive: true });
    assert.ok(log.write('two'));
    assert.equal(text(), 'two\n');
  });

  it('says once that it can not be written, tries again, and says how many lines are missing', () => {
    writeFileSync(join(folder, 'logs'), 'a file in its way');
    for (const line of ['one', 'two', 'three']) assert.equal(log.write(line), false);
    assert.equal(troubles.length, 1);
    assert.match(troubles[0] ?? '', /EEXIST|ENOTDIR/);
    rmSync(join(folder, 'logs'));
    assert.equal(log.write('four'), false, 'a flood of lines is no flood of attempts');
    now += 1000;
    assert.equal(log.write('five'), true);
    assert.equal(text(), '(4 lines could not be written here)\nfive\n');
    assert.equal(troubles.length, 1);
  });

  it('is put aside once when nobody rotates it', () => {
    log = make({ largest: 10 });
    for (const line of ['one', 'two', 'three', 'four']) log.write(line);
    assert.deepEqual([text('x.log.old'), text()], ['three\n', 'four\n']);
    log.write('five');
    assert.deepEqual([text('x.log.old'), text()], ['three\n', 'four\nfive\n']);
  });

  it('has no half lines in it after the disk was full', function () {
    needs(this, 'root');
    const disk = join(folder, 'logs');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]);
    try {
      writeFileSync(join(disk, 'ballast'), Buffer.alloc(32 * 1024));
      const line = (n: number) => `${n} ${'x'.repeat(777)}`;
      let written = 0;
      while (log.write(line(written))) written++;
      assert.ok(written > 10);
      assert.match(troubles.join(), /ENOSPC/);
      assert.equal(log.write(line(-1)), false);
      assert.equal(
        text(),
        Array.from({ length: written }, (_, n) => `${line(n)}\n`).join(''),
        'what is there is whole',
      );
      rmSync(join(disk, 'ballast'));
      assert.equal(log.write('back'), true);
      assert.ok(text().endsWith('x\n(2 lines could not be written here)\nback\n'));
    } finally {
      log.close();
      execFileSync('umount', [disk]);
    }
  });
});

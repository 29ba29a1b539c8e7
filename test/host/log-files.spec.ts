import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { inOrder, type LoggedLine, readLogBack } from '../../nodes/host/log-files.js';

describe('a log and its rotated files', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'potion-rotated-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const path = (name: string) => join(folder, name);
  const append = (text: string) => appendFileSync(path('x.log'), `${text}\n`);

  /** As logrotate does with compress and delaycompress. */
  const rotate = (keep = 10) => {
    rmSync(path(`x.log.${keep}.gz`), { force: true });
    for (let n = keep - 1; n >= 2; n--)
      if (existsSync(path(`x.log.${n}.gz`))) renameSync(path(`x.log.${n}.gz`), path(`x.log.${n + 1}.gz`));
    if (existsSync(path('x.log.1'))) {
      writeFileSync(path('x.log.2.gz'), gzipSync(readFileSync(path('x.log.1'))));
      rmSync(path('x.log.1'));
    }
    if (existsSync(path('x.log'))) renameSync(path('x.log'), path('x.log.1'));
    writeFileSync(path('x.log'), '');
  };
  const read = async (most = 1e6, before?: string) => {
    const found: LoggedLine[] = [];
    for await (const line of readLogBack(folder, 'x.log', before)) {
      found.unshift(line);
      if (found.length === most) break;
    }
    return found;
  };
  const texts = (lines: LoggedLine[]) => lines.map(({ text }) => text);

  it('come from the newest to the oldest, by number or by date', () => {
    const names = [
      'x.log.10.gz',
      'y.log',
      'x.log.2.gz',
      'x.log',
      'x.log.1',
      'x.log.tmp',
      'xxlog',
      'x.log.1.gz.part',
      'x.log.old',
    ];
    assert.deepEqual(inOrder('x.log', names), ['x.log', 'x.log.old', 'x.log.1', 'x.log.2.gz', 'x.log.10.gz']);
    assert.deepEqual(inOrder('x.log', ['x.log.2', 'x.log.2.gz']), ['x.log.2'], 'just being compressed');
    const dated = ['x.log-20261118.gz', 'x.log-20261120', 'x.log', 'x.log-20251231.gz', 'x.log-2026112'];
    assert.deepEqual(inOrder('x.log', dated), [
      'x.log',
      'x.log-20261120',
      'x.log-20261118.gz',
      'x.log-20251231.gz',
    ]);
  });

  it('are one log', async () => {
    for (let n = 0; n < 40; n++) {
      if (n % 10 === 9) rotate();
      append(`line ${n}`);
    }
    assert.deepEqual(readdirSync(folder).sort(), [
      'x.log',
      'x.log.1',
      'x.log.2.gz',
      'x.log.3.gz',
      'x.log.4.gz',
    ]);
    assert.deepEqual(
      texts(await read()),
      Array.from({ length: 40 }, (_, n) => `line ${n}`),
    );
    assert.deepEqual(texts(await read(3)), ['line 37', 'line 38', 'line 39']);
  });

  it('have every line once and in order, whenever they are rotated while they are read', async () => {
    const plan = fc.record({
      before: fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 5 }),
      // After so many lines read, it is rotated.
      at: fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(plan, async ({ before, at }) => {
        for (const name of readdirSync(folder)) rmSync(path(name));
        let n = 0;
        before.forEach((count, i) => {
          if (i > 0) rotate();
          for (let k = 0; k < count; k++) append(`line ${n++}`);
        });
        const found: string[] = [];
        let due = [...at];
        const perhapsRotate = () => {
          if (due.includes(found.length)) {
            due = due.filter((one) => one !== found.length);
            rotate();
            append('new');
          }
        };
        for await (const { text } of readLogBack(folder, 'x.log')) {
          found.push(text);
          perhapsRotate();
        }
        assert.deepEqual(
          found.reverse().filter((text) => text !== 'new'),
          Array.from({ length: n }, (_, k) => `line ${k}`),
        );
      }),
      { numRuns: 150 },
    );
  }).timeout(30_000);

  it('are paged through across a rotation', async () => {
    for (let n = 0; n < 30; n++) append(`line ${n}`);
    const first = await read(10);
    rotate();
    append('new');
    const second = await read(10, first[0]?.place);
    assert.deepEqual(
      texts(second),
      Array.from({ length: 10 }, (_, n) => `line ${n + 10}`),
    );
    const third = await read(100, second[0]?.place);
    assert.deepEqual(
      texts(third),
      Array.from({ length: 10 }, (_, n) => `line ${n}`),
    );
    assert.deepEqual(await read(100, third[0]?.place), []);
  });

  it('are read to their end however often they are rotated meanwhile', async () => {
    for (let n = 0; n < 3; n++) append(`line ${n}`);
    rotate();
    for (let n = 3; n < 6; n++) append(`line ${n}`);
    const found: string[] = [];
    for await (const { text } of readLogBack(folder, 'x.log')) {
      found.unshift(text);
      rotate();
    }
    assert.deepEqual(
      found,
      Array.from({ length: 6 }, (_, n) => `line ${n}`),
    );
  });

  it('say so when the place of a page has been rotated out of reach', async () => {
    append('line');
    const [line] = await read(1);
    rotate();
    append('another');
    rotate();
    await assert.rejects(read(10, line?.place), { code: 'NOT_FOUND' });
    await assert.rejects(read(10, 'nonsense'), { code: 'NOT_FOUND' });
  });

  it('are none where there is no log, and an error where there is no folder', async () => {
    assert.deepEqual(await read(), []);
    await assert.rejects(
      (async () => {
        for await (const _ of readLogBack(path('nowhere'), 'x.log'));
      })(),
      { code: 'UNAVAILABLE' },
    );
  });

  it('that are damaged say so instead of leaving lines out', async () => {
    writeFileSync(path('x.log'), 'line\n');
    writeFileSync(path('x.log.1.gz'), 'no gzip');
    await assert.rejects(read(), { code: 'UNAVAILABLE' });
    assert.deepEqual(texts(await read(1)), ['line']);
  });
});

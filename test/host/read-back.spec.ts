import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { type FileLine, type ReadBackOptions, readBack } from '../../nodes/host/read-back.js';

describe('a file read from its end', () => {
  const folder = mkdtempSync(join(tmpdir(), 'potion-back-'));
  const path = join(folder, 'log');
  after(() => rmSync(folder, { recursive: true }));

  /** The last lines of a file with this content, in the order of the file. */
  const last = async (
    content: Buffer | string,
    most: number,
    options: ReadBackOptions = {},
  ): Promise<FileLine[]> => {
    writeFileSync(path, content);
    const file = await open(path);
    const found: FileLine[] = [];
    try {
      for await (const line of readBack(file, options)) {
        if (found.length === most) break;
        found.unshift(line);
      }
    } finally {
      await file.close();
    }
    return found;
  };
  const texts = async (content: Buffer | string, most: number, options?: ReadBackOptions) =>
    (await last(content, most, options)).map(({ text }) => text);

  const bytes = fc
    .array(
      fc.oneof(
        { weight: 3, arbitrary: fc.constant([0x0a]) },
        {
          weight: 5,
          arbitrary: fc.string({ minLength: 1, maxLength: 12 }).map((text) => [...Buffer.from(text)]),
        },
        { weight: 1, arbitrary: fc.uint8Array({ maxLength: 4 }).map((some) => [...some]) },
        {
          weight: 1,
          arbitrary: fc.constantFrom([0x0d, 0x0a], [0xf0, 0x9f, 0x98], [0], [...Buffer.from('☕')]),
        },
      ),
      { maxLength: 40 },
    )
    .map((parts) => Buffer.from(parts.flat()));

  it('has the lines that tail has, whatever its bytes and however it is read', async function () {
    this.timeout(30_000);
    await fc.assert(
      fc.asyncProperty(
        bytes,
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 40 }),
        async (content, n, chunk) => {
          const found = await texts(content, n, { chunk });
          const tail = spawnSync('/usr/bin/tail', ['-n', String(n), path]).stdout;
          const lines: string[] = [];
          for (let from = 0; from < tail.length; ) {
            const end = tail.indexOf(0x0a, from);
            lines.push(tail.subarray(from, end < 0 ? tail.length : end).toString('utf8'));
            from = end < 0 ? tail.length : end + 1;
          }
          assert.deepEqual(found, lines);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('goes on before a line with the one before it', async () => {
    await fc.assert(
      fc.asyncProperty(bytes, fc.integer({ min: 1, max: 40 }), async (content, chunk) => {
        const all = await last(content, 1000);
        const cut = all[Math.floor(all.length / 2)];
        if (!cut) return;
        const before = await last(content, 1000, { end: cut.start, chunk });
        assert.deepEqual(before, all.slice(0, Math.floor(all.length / 2)));
      }),
    );
  });

  it('keeps the beginning of a line that is too long', async () => {
    for (const chunk of [7, 64, 1000])
      assert.deepEqual(await texts(`a\n${'xy'.repeat(100)}\nb\n`, 10, { chunk, longest: 9 }), [
        'a',
        'xyxyxyxyx…',
        'b',
      ]);
    assert.deepEqual(await texts('123456789\n', 1, { longest: 9 }), ['123456789']);
  });

  it('takes no more memory for a huge line than for a short one', async () => {
    const file = await open(path, 'w+');
    try {
      await file.write('first\n');
      await file.truncate(300_000_000);
      await file.write('\nlast\n', 300_000_000);
      const before = process.memoryUsage().arrayBuffers;
      let most = 0;
      const found: string[] = [];
      for await (const { text } of readBack(
        countingReads(file, () => {
          most = Math.max(most, process.memoryUsage().arrayBuffers - before);
        }),
      ))
        found.unshift(text.slice(0, 5));
      assert.deepEqual(found, ['first', '\0\0\0\0\0', 'last']);
      // What waits for the garbage collector counts too.
      assert.ok(most < 150_000_000, `${most} bytes`);
    } finally {
      await file.close();
    }
  }).timeout(30_000);

  it('ends quietly when the file is truncated while it is read', async () => {
    writeFileSync(path, 'line\n'.repeat(100));
    const file = await open(path, 'r+');
    try {
      const found: string[] = [];
      for await (const { text } of readBack(file, { chunk: 10 })) {
        found.push(text);
        if (found.length === 3) await file.truncate(0);
      }
      assert.ok(found.length >= 3 && found.length < 10, `${found.length} lines`);
    } finally {
      await file.close();
    }
  });
});

/** The same file, with a look at each read. */
function countingReads(file: FileHandle, look: () => void): FileHandle {
  return {
    stat: () => file.stat(),
    read: (...args: Parameters<FileHandle['read']>) => {
      look();
      return file.read(...args);
    },
  } as unknown as FileHandle;
}

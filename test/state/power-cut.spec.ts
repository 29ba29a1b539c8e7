import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase } from '../../nodes/state/database.js';
import { needs } from '../support/needs.ts';
import { HOME } from '../support/node-red.ts';

/** Keeps messages for ever and says the number of each once it is kept. */
const WRITER = `
  const { openDatabase } = await import(process.argv[1] + '/nodes/state/database.js');
  const { enqueue } = await import(process.argv[1] + '/nodes/state/outbox.js');
  const db = await openDatabase(process.argv[2]);
  for (let n = 1; ; n++) {
    const draft = { chat: 1, html: 'message ' + n + ' ' + 'x'.repeat(n % 3000), kind: 'alert', at: Date.now() };
    await enqueue(db, [draft], Date.now(), { messages: 1e6, characters: 1e9 });
    console.log(n);
  }
`;

describe('a power cut while Potion writes: a disk image as it is at that moment', function () {
  this.timeout(60_000);
  let work: string;

  before(function () {
    needs(this, 'root');
  });
  beforeEach(() => {
    work = mkdtempSync(join(tmpdir(), 'potion-cut-'));
  });
  afterEach(() => {
    for (const name of ['after', 'before'])
      try {
        execFileSync('umount', [join(work, name)], { stdio: 'ignore' });
      } catch {}
    rmSync(work, { recursive: true, force: true });
  });

  function mount(image: string, name: string): string {
    const folder = join(work, name);
    mkdirSync(folder);
    execFileSync('mount', ['-o', 'loop', image, folder]);
    return folder;
  }
  async function ended(child: ChildProcess): Promise<void> {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null)
      await new Promise((resolve) => child.once('exit', resolve));
  }

  it('every message that was kept is in it, and the database is whole', async () => {
    const image = join(work, 'disk.img');
    writeFileSync(image, '');
    execFileSync('truncate', ['-s', '96M', image]);
    execFileSync('mkfs.ext4', ['-q', '-F', image]);
    const disk = mount(image, 'before');
    const args = ['--input-type=module', '-e', WRITER, HOME, join(disk, 'potion.db')];
    const writer = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let kept = 0;
    createInterface({ input: writer.stdout }).on('line', (line) => {
      kept = Number(line);
    });
    const cuts: { copy: string; kept: number }[] = [];
    try {
      for (let cut = 1; cut <= 4; cut++) {
        for (const enough = kept + 150; kept < enough; ) await sleep(5);
        // Nothing is synced for the copy: it holds what has reached the disk, as after a cut.
        const copy = join(work, `cut${cut}.img`);
        cuts.push({ copy, kept });
        execFileSync('cp', ['--sparse=always', image, copy]);
      }
    } finally {
      await ended(writer);
    }
    for (const cut of cuts) {
      const db = await openDatabase(join(mount(cut.copy, 'after'), 'potion.db'));
      const rows = await db.selectFrom('outbox').select(['id', 'draft']).orderBy('id').execute();
      await db.destroy();
      execFileSync('umount', [join(work, 'after')]);
      rmSync(join(work, 'after'), { recursive: true });
      const found = new Set(rows.map(({ draft }) => /message (\d+)/.exec(JSON.parse(draft).html)?.[1]));
      const lost = Array.from({ length: cut.kept }, (_, i) => String(i + 1)).filter((n) => !found.has(n));
      assert.deepEqual(lost, [], `of ${cut.kept} kept before the cut`);
    }
  });
});

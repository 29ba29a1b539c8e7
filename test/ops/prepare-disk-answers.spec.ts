import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { needs } from '../support/needs.ts';
import { Bench, fingerprint, GB, MARKS, SCRIPT, sh, write } from './prepare-disk-fixture.ts';

describe('prepare-disk.sh asks a person', function () {
  this.timeout(30_000);
  let bench: Bench;

  before(function () {
    needs(this, 'root', 'loop');
  });
  beforeEach(() => {
    bench = new Bench();
  });
  afterEach(() => bench?.close());

  const type = (device: string) =>
    spawnSync('blkid', ['-p', '-s', 'TYPE', '-o', 'value', device], { encoding: 'utf8' }).stdout.trim();
  const marked = (kind: keyof typeof MARKS, image = bench.image()) => {
    const device = bench.disk({ image });
    write(device, MARKS[kind] ?? []);
    return { device, image, short: device.slice('/dev/'.length) };
  };
  const WHICH = /Type its number/;
  const LOSS = /ALL that is on .* will be GONE[\s\S]*type the name of the disk/;
  /** The number that the list gives a disk. */
  const numberOf = (device: string) => {
    const line = bench
      .run('--list')
      .all.split('\n')
      .find((one) => one.split(/\s+/)[2] === device);
    return line?.split(/\s+/)[1] ?? '';
  };

  it('shows each disk with what is on it, and numbers only those that may be used', () => {
    const empty = bench.disk({ size: 3 * GB });
    const { device: windows } = marked('ntfs');
    const { device: small } = { device: bench.disk({ size: GB / 2 }) };
    const { code, all } = bench.run('--list');
    assert.equal(code, 0);
    assert.match(all, new RegExp(`\\d  ${empty} +3\\.3GB  empty\\n +→ can be used; it will be formatted`));
    assert.match(all, new RegExp(`\\d  ${windows} +2\\.2GB  ntfs\\n +→ not empty`));
    assert.match(all, new RegExp(`-  ${small} .*\\n +→ too small`));
    const [system] = sh('findmnt', '-nro', 'SOURCE', '/').split('\n');
    if (system?.startsWith('/dev/')) assert.doesNotMatch(all, new RegExp(`\\d  ${system}`));
  });

  it('formats an empty one after a yes', async () => {
    const device = bench.disk();
    const { code, all } = await bench.talk(
      [],
      [
        [WHICH, numberOf(device)],
        [/empty and will be formatted.*yes or no/, 'yes'],
      ],
    );
    assert.equal(code, 0, all);
    assert.ok(bench.isMounted());
  });

  it('erases only after the disk’s name was typed', async () => {
    const { device, short } = marked('ntfs');
    const { code, all } = await bench.talk(
      [],
      [
        [WHICH, numberOf(device)],
        [LOSS, short],
      ],
    );
    assert.equal(code, 0, all);
    assert.equal(type(device), 'ext4');
  });

  for (const wrong of ['', 'y', 'yes', 'ya', 'loop', '/dev', '*', '$short', 'YES please', '; reboot'])
    it(`erases nothing for the answer "${wrong}"`, async () => {
      const { device, image } = marked('ntfs');
      sh('sync', device);
      const before = fingerprint(image);
      const { code, all } = await bench.talk([`--device=${device}`], [[LOSS, wrong]]);
      assert.equal(code, 1);
      assert.match(all, /Nothing was changed/);
      assert.equal(fingerprint(image), before);
      assert.ok(!bench.has('etc/fstab'));
    });

  it('stops after wrong numbers, at q, and at the end of the input', async () => {
    const device = bench.disk();
    const wrong = ['99', '0', '-1', 'x', '1;ls'].map((answer) => [WHICH, answer] as [RegExp, string]);
    assert.match((await bench.talk([], wrong)).all, /no such number[\s\S]*Nothing was changed/);
    assert.match((await bench.talk([], [[WHICH, 'q']])).all, /Nothing was changed/);
    assert.match((await bench.talk([], [[WHICH, '\u0004']])).all, /Nothing was changed/);
    assert.equal(type(device), '');
  });

  it('offers to keep what is on an ext4, and keeps it', async () => {
    const device = bench.disk();
    sh('mkfs.ext4', '-q', '-L', 'family', device);
    writeFileSync(join(bench.mount(device, 'mnt/old'), 'photo.jpg'), 'a photo');
    bench.umount('mnt/old');
    for (const answer of ['q', '', '3'])
      assert.match(
        (
          await bench.talk(
            [],
            [
              [WHICH, numberOf(device)],
              [/1 {2}use it as it is/, answer],
            ],
          )
        ).all,
        /Nothing was changed/,
      );
    const { code, all } = await bench.talk(
      [],
      [
        [WHICH, numberOf(device)],
        [/ext4 "family", .* used[\s\S]*1 {2}use it as it is/, '1'],
      ],
    );
    assert.equal(code, 0, all);
    assert.equal(readFileSync(join(bench.mountPoint, 'photo.jpg'), 'utf8'), 'a photo');
  });

  it('does not take another disk that got the name while the person was thinking', async () => {
    const { device, short } = marked('ntfs');
    const other = marked('vfat', bench.image());
    bench.unplug(other.device);
    const before = fingerprint(other.image);
    const swap = () => {
      bench.unplug(device);
      sh('losetup', device, other.image);
      return short;
    };
    try {
      const { code, all } = await bench.talk([`--device=${device}`], [[LOSS, swap]]);
      assert.equal(code, 1, all);
      assert.match(all, /no longer the disk that was chosen/);
    } finally {
      sh('losetup', '--detach', device);
    }
    assert.equal(fingerprint(other.image), before);
  });

  it('does not take a disk that was mounted, or is gone, while the person was thinking', async () => {
    const device = bench.disk();
    sh('mkfs.ext4', '-q', device);
    const mount = () => {
      writeFileSync(join(bench.mount(device, 'mnt/old'), 'photo.jpg'), 'a photo');
      return device;
    };
    const mounted = await bench.talk(
      [],
      [
        [WHICH, numberOf(device)],
        [/1 {2}use it as it is/, '2'],
        [LOSS, mount],
      ],
    );
    assert.equal(mounted.code, 1, mounted.all);
    assert.match(mounted.all, /mounted on .*mnt\/old/);
    assert.equal(readFileSync(join(bench.root, 'mnt/old/photo.jpg'), 'utf8'), 'a photo');

    const { device: windows, short } = marked('ntfs');
    const unplug = () => {
      bench.unplug(windows);
      return short;
    };
    const gone = await bench.talk([`--device=${windows}`], [[LOSS, unplug]]);
    assert.equal(gone.code, 1, gone.all);
    assert.match(gone.all, /no longer the disk/);
  });

  it('in Indonesian, and in the language of the terminal', () => {
    assert.match(bench.run('--list', '--lang=id').all, /Disk di server ini/);
    const speaks = (env: Record<string, string>) =>
      spawnSync(SCRIPT, ['--help'], { encoding: 'utf8', env: { PATH: process.env.PATH, ...env } }).stdout;
    assert.match(speaks({ LANG: 'en_GB.UTF-8' }), /Prepares a disk/);
    assert.match(speaks({ LANG: 'id_ID.UTF-8' }), /Menyiapkan disk/);
    assert.match(speaks({ LANG: 'en_US.UTF-8', POTION_LANG: 'id' }), /Menyiapkan disk/);
    assert.match(speaks({}), /Menyiapkan disk/);
  });

  it('without a terminal not at all, but says which options to give', () => {
    const { code, all } = bench.run();
    assert.equal(code, 1);
    assert.match(all, /--device=.*--yes-erase=/);
    assert.match(bench.run('--erase-everything').all, /no such option/);
  });
});

describe('the texts of prepare-disk.sh', () => {
  const file = readFileSync(join(SCRIPT, '..', 'disk', 'texts.sh'), 'utf8');

  it('take the same values in both languages', () => {
    const script = `. "$0"; for key in "\${!ID[@]}"; do printf '%s\\0%s\\0%s\\0' "$key" "\${ID[$key]}" "\${EN[$key]}"; done`;
    const { stdout } = spawnSync('bash', ['-c', script, join(SCRIPT, '..', 'disk', 'texts.sh')], {
      encoding: 'utf8',
    });
    const parts = stdout.split('\0').slice(0, -1);
    assert.ok(parts.length > 150);
    for (let i = 0; i < parts.length; i += 3) {
      const [key, id = '', en = ''] = parts.slice(i, i + 3);
      const values = (text: string) => text.match(/%./g) ?? [];
      assert.deepEqual(values(id), values(en), key);
      assert.ok(
        values(id).every((value) => value === '%s' || value === '%%' || key === 'step-mkfs'),
        key,
      );
    }
  });

  it('are all said somewhere', () => {
    const used = ['prepare-disk.sh', 'disk/look.sh', 'disk/change.sh']
      .map((name) => readFileSync(join(SCRIPT, '..', name), 'utf8'))
      .join('\n');
    const names = [...file.matchAll(/^text ([\w-]+)/gm)].map(([, name]) => name as string);
    // The states of a disk are said by their name.
    const unsaid = names.filter(
      (name) => !/^is-/.test(name) && !new RegExp(`(say|die|ask) ${name}\\b`).test(used),
    );
    assert.deepEqual(unsaid, []);
    const said = [...used.matchAll(/\b(?:say|die|ask) ([a-z]+(?:-[a-z]+)*)/g)].map(
      ([, name]) => name as string,
    );
    assert.deepEqual(
      said.filter((name) => !names.includes(name)),
      [],
    );
  });

  it('and its scripts please shellcheck', function () {
    needs(this, 'shellcheck');
    const { stdout, status } = spawnSync(
      'shellcheck',
      ['--external-sources', '--source-path', join(SCRIPT, '../../..'), SCRIPT],
      { encoding: 'utf8' },
    );
    assert.equal(status, 0, stdout);
  });
});

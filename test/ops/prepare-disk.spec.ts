import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { needs } from '../support/needs.ts';
import { Bench, fingerprint, GB, MARKS, sh, write } from './prepare-disk-fixture.ts';

describe('prepare-disk.sh', function () {
  this.timeout(30_000);
  let bench: Bench;
  let fstab: string;

  before(function () {
    needs(this, 'root', 'loop');
  });
  beforeEach(() => {
    fstab = readFileSync('/etc/fstab', 'utf8');
    bench = new Bench();
  });
  afterEach(() => {
    bench?.close();
    assert.equal(readFileSync('/etc/fstab', 'utf8'), fstab, 'this machine is as it was');
  });

  const uuid = (device: string) => sh('blkid', '-p', '-s', 'UUID', '-o', 'value', device);
  /** An ext4 with a file of somebody's on it. */
  const withData = (device: string) => {
    sh('mkfs.ext4', '-q', '-L', 'family', device);
    writeFileSync(join(bench.mount(device, 'mnt/old'), 'photo.jpg'), 'a photo');
    bench.umount('mnt/old');
    return device;
  };

  it('formats an empty disk, mounts it for good, marks it and gives Potion its folder', () => {
    const device = bench.disk();
    const { code, all } = bench.run(`--device=${device}`);
    assert.equal(code, 0, all);
    assert.equal(sh('blkid', '-p', '-s', 'LABEL', '-o', 'value', device), 'POTIONDATA');
    const place = bench.mountPoint;
    assert.ok(bench.isMounted());
    assert.equal(
      bench.text('etc/fstab'),
      `UUID=${uuid(device)} /mnt/potion-data ext4 noatime,nofail,x-systemd.device-timeout=10s 0 2\n`,
    );
    assert.match(
      readFileSync(join(place, '.potion-disk'), 'utf8'),
      new RegExp(`^UUID=${uuid(device)}$`, 'm'),
    );
    const marker = statSync(join(place, '.potion-disk'));
    assert.deepEqual([marker.uid, marker.gid, marker.mode & 0o777], [0, 0, 0o644]);
    const folder = statSync(join(place, 'backups'));
    assert.deepEqual([folder.uid, folder.gid, folder.mode & 0o777], [4321, 4322, 0o750]);
    assert.equal(sh('findmnt', '-nro', 'OPTIONS', place).includes('noatime'), true);
    const reserved = sh(
      'sh',
      '-c',
      `dumpe2fs -h ${device} 2>/dev/null | grep -E '^(Reserved b|B)lock count'`,
    );
    const [all1 = 0, kept = 0] = [...reserved.matchAll(/(\d+)$/gm)].map(([, digits]) => Number(digits));
    assert.ok(Math.min(all1, kept) / Math.max(all1, kept) < 0.011, reserved);
  });

  it('does nothing more when run again, even when told to erase', () => {
    const device = bench.disk();
    assert.equal(bench.run(`--device=${device}`).code, 0);
    writeFileSync(join(bench.mountPoint, 'backups', 'precious'), 'x');
    const before = [uuid(device), bench.text('etc/fstab'), sh('ls', '-A', join(bench.root, 'etc'))];
    for (const args of [[`--device=${device}`], [`--yes-erase=${device}`]]) {
      const { code, all } = bench.run(...args);
      assert.equal(code, 0, all);
      assert.doesNotMatch(all, /✓/);
    }
    bench.umount();
    assert.equal(bench.run(`--yes-erase=${device}`).code, 0);
    assert.deepEqual(
      [uuid(device), bench.text('etc/fstab'), sh('ls', '-A', join(bench.root, 'etc'))],
      before,
    );
    assert.equal(readFileSync(join(bench.mountPoint, 'backups', 'precious'), 'utf8'), 'x');
  });

  it('uses an ext4 that is there as it is, with all that is on it', () => {
    const device = withData(bench.disk());
    const before = uuid(device);
    const { code, all } = bench.run(`--device=${device}`);
    assert.equal(code, 0, all);
    assert.equal(uuid(device), before);
    assert.equal(readFileSync(join(bench.mountPoint, 'photo.jpg'), 'utf8'), 'a photo');
    assert.doesNotMatch(all, /wiping|formatting/);
  });

  it('uses a partition and leaves its neighbours alone', () => {
    const device = bench.disk({ size: 5 * GB, parts: [1.5 * GB, 1.5 * GB] });
    const other = uuid(withData(`${device}p1`));
    const { code, all } = bench.run(`--device=${device}p2`);
    assert.equal(code, 0, all);
    assert.equal(uuid(`${device}p1`), other);
    assert.notEqual(uuid(`${device}p2`), '');
  });

  it('takes a whole disk with its partitions when told to erase it', () => {
    const device = bench.disk({ size: 5 * GB, parts: [1.5 * GB, 1.5 * GB] });
    withData(`${device}p1`);
    const { code, all } = bench.run(`--yes-erase=${device}`);
    assert.equal(code, 0, all);
    assert.equal(sh('lsblk', '-nro', 'NAME', device).split('\n').length, 1, 'no partition is left');
    assert.ok(bench.isMounted());
  });

  describe('without an explicit yes leaves a disk as it is that holds', () => {
    const contents: Record<string, (device: string) => void> = {
      'a partition table': (device) => {
        write(device, [
          [510, Buffer.from([0x55, 0xaa])],
          [446 + 4, Buffer.from([0x83])],
          [446 + 8, Buffer.from([0, 8, 0, 0, 0, 0, 1])],
        ]);
      },
      'a swap area': (device) => void sh('mkswap', device),
      'something unknown in its first MiB': (device) => write(device, [[700_000, Buffer.from('diary')]]),
      'something unknown in its last MiB': (device) => write(device, [[2 * GB - 5000, Buffer.from('diary')]]),
      'an ext3': (device) => void sh('mkfs.ext3', '-q', device),
    };
    for (const [name, pieces] of Object.entries(MARKS))
      contents[name] = (device) => {
        write(device, pieces);
        assert.equal(sh('blkid', '-p', '-s', 'TYPE', '-o', 'value', device), name);
      };

    for (const [name, fill] of Object.entries(contents))
      it(name, () => {
        const image = bench.image();
        const device = bench.disk({ image });
        fill(device);
        sh('sync', device);
        const before = fingerprint(image);
        const { code, all } = bench.run(`--device=${device}`);
        assert.equal(code, 1, all);
        assert.match(all, new RegExp(`--yes-erase=${device}`));
        assert.equal(fingerprint(image), before);
        assert.ok(!bench.has('etc/fstab') && !bench.isMounted());
        assert.equal(bench.run(`--yes-erase=${device}`).code, 0);
        assert.equal(sh('blkid', '-p', '-s', 'TYPE', '-o', 'value', device), 'ext4');
        assert.notEqual(fingerprint(image), before);
      });
  });

  describe('refuses, also with --yes-erase,', () => {
    const refused = (device: string, why: RegExp) => {
      for (const args of [[`--device=${device}`], [`--yes-erase=${device}`]]) {
        const { code, all } = bench.run(...args);
        assert.equal(code, 1, all);
        assert.match(all, why);
        assert.doesNotMatch(all, /✓/);
      }
    };

    it('a mounted disk, and a disk with a mounted partition', () => {
      const whole = withData(bench.disk());
      bench.mount(whole, 'mnt/here');
      refused(whole, /mounted on .*mnt\/here/);
      const parted = bench.disk({ size: 5 * GB, parts: [1.5 * GB, 1.5 * GB] });
      withData(`${parted}p1`);
      bench.mount(`${parted}p1`, 'mnt/there');
      refused(parted, /mounted on .*mnt\/there/);
      refused(`${parted}p1`, /mounted on/);
    });

    it('a disk that another program has for itself', async () => {
      const device = withData(bench.disk());
      const folder = join(bench.root, 'mnt/hidden');
      mkdirSync(folder);
      const holder = spawn('unshare', [
        '--mount',
        'sh',
        '-c',
        'mount "$0" "$1" && echo there && read -r _',
        device,
        folder,
      ]);
      try {
        await new Promise((resolve) => holder.stdout.once('data', resolve));
        refused(device, /in use by another program/);
      } finally {
        holder.stdin.end('\n');
        await new Promise((resolve) => holder.once('close', resolve));
      }
    });

    it('active swap, and the rest of its disk', () => {
      const device = bench.disk({ size: 5 * GB, parts: [1.5 * GB, 1.5 * GB] });
      sh('mkswap', `${device}p1`);
      sh('swapon', `${device}p1`);
      try {
        for (const one of ['', 'p1', 'p2']) refused(`${device}${one}`, /swap is active .*swapoff/);
      } finally {
        sh('swapoff', `${device}p1`);
      }
    });

    it('the disk of the system', () => {
      const [name = ''] = sh('findmnt', '-nro', 'SOURCE', '/').split('\n');
      if (!name.startsWith('/dev/')) return;
      refused(name, /this server's system is on the same disk/);
    });

    it('a read-only disk', () => refused(bench.disk({ readonly: true }), /read-only/));
    it('a disk that is too small', () => refused(bench.disk({ size: GB - 512 }), /too small/));
    it('a disk that is not there', () => {
      const device = bench.disk();
      bench.unplug(device);
      refused('/dev/loop987', /not there/);
      refused(device, /not there|can't be used/);
    });

    it('what is no disk, or no name of one', () => {
      writeFileSync(join(bench.root, 'a-file'), '');
      refused('/dev/null', /not there/);
      for (const name of [
        join(bench.root, 'a-file'),
        '/dev/../etc/passwd',
        '/dev/sd$(touch /tmp/pwned)',
        '/dev/x;reboot',
        '-f',
        '/dev/a b',
      ])
        refused(name, /no name of a disk/);
    });

    it('two different disks in one call', () => {
      const [one, other] = [bench.disk(), bench.disk()];
      assert.match(bench.run(`--device=${one}`, `--yes-erase=${other}`).all, /different disks/);
    });

    it('a disk whose double is there too', () => {
      const image = bench.image();
      const device = withData(bench.disk({ image }));
      sh('sync', device);
      const copy = bench.image();
      sh('cp', '--sparse=always', image, copy);
      bench.disk({ image: copy });
      const { code, all } = bench.run(`--device=${device}`);
      assert.equal(code, 1);
      assert.match(all, /same UUID/);
    });
  });

  it('takes a name that udev made for the disk itself', () => {
    const device = bench.disk();
    const link = `/dev/potion-test-${process.pid}`;
    symlinkSync(device, link);
    try {
      assert.equal(bench.run(`--device=${link}`).code, 0);
      assert.ok(bench.isMounted());
    } finally {
      sh('rm', link);
    }
  });

  it('changes nothing in a dry run, and says all that it would do', () => {
    const image = bench.image();
    const device = bench.disk({ image });
    write(device, MARKS.ntfs ?? []);
    sh('sync', device);
    const before = [fingerprint(image), sh('find', bench.root, '-newermt', '@0', '-printf', '%p %s %m\n')];
    const { code, all } = bench.run(`--yes-erase=${device}`, '--dry-run');
    assert.equal(code, 0, all);
    assert.equal(all.match(/^would: /gm)?.length, 7, all);
    sh('rm', '-f', join(bench.root, 'etc/.potion-prepare-disk.lock'));
    assert.deepEqual(
      [fingerprint(image), sh('find', bench.root, '-newermt', '@0', '-printf', '%p %s %m\n')],
      before,
    );
  });

  it('goes on where it was cut short, at whatever moment', async () => {
    const device = bench.disk();
    write(device, MARKS.ntfs ?? []);
    for (let ms = 20; ; ms = Math.ceil(ms * 1.3)) {
      const child = bench.start(`--yes-erase=${device}`);
      const timer = setTimeout(() => process.kill(-(child.pid as number), 'SIGKILL'), ms);
      const code = await new Promise((resolve) => child.once('close', resolve));
      clearTimeout(timer);
      if (bench.has('etc/fstab'))
        assert.match(bench.text('etc/fstab'), /^UUID=\S+ \/mnt\/potion-data ext4 \S+ 0 2\n$/);
      if (code === 0) break;
    }
    assert.ok(bench.isMounted());
    assert.equal(bench.text('etc/fstab').split('\n').length, 2, 'one line');
    assert.match(bench.text('etc/fstab'), new RegExp(uuid(device)));
    assert.deepEqual(sh('ls', '-A', bench.mountPoint).split('\n').sort(), [
      '.potion-disk',
      'backups',
      'lost+found',
    ]);
  });
});

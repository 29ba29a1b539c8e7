import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { needs } from '../support/needs.ts';
import { Bench, sh } from './prepare-disk-fixture.ts';

const OPTIONS = 'noatime,nofail,x-systemd.device-timeout=10s';

describe('prepare-disk.sh and the files of a server', function () {
  this.timeout(30_000);
  let bench: Bench;
  let device: string;
  let uuid: string;

  before(function () {
    needs(this, 'root', 'loop');
  });
  beforeEach(() => {
    bench = new Bench();
    device = bench.disk();
    sh('mkfs.ext4', '-q', '-L', 'family', device);
    uuid = sh('blkid', '-p', '-s', 'UUID', '-o', 'value', device);
  });
  afterEach(() => bench?.close());

  const run = (...args: string[]) => {
    const result = bench.run(`--device=${device}`, ...args);
    assert.equal(result.code, 0, result.all);
    return result.all;
  };
  const refused = (why: RegExp, ...args: string[]) => {
    const { code, all } = bench.run(`--device=${device}`, ...args);
    assert.equal(code, 1, all);
    assert.match(all, why);
    assert.doesNotMatch(all, /✓/);
  };
  const LINE = () => `UUID=${uuid} /mnt/potion-data ext4 ${OPTIONS} 0 2`;

  describe('fstab', () => {
    const OTHERS =
      '# my server\nUUID=0000-aaaa\t/  ext4\tdefaults,errors=remount-ro 0 1\n\n   # and "more" \\040\n';

    it('gets one line at its end; every other one stays byte by byte, and the old file is kept', () => {
      for (const end of ['', 'LABEL=x none swap sw 0 0\n', 'LABEL=x none swap sw 0 0']) {
        bench.put('etc/fstab', OTHERS + end, 0o640);
        run();
        const ended = end === '' || end.endsWith('\n') ? end : `${end}\n`;
        assert.equal(bench.text('etc/fstab'), `${OTHERS}${ended}${LINE()}\n`);
        assert.equal(statSync(join(bench.root, 'etc/fstab')).mode & 0o777, 0o644);
        const copies = readdirSync(join(bench.root, 'etc')).filter((name) =>
          name.startsWith('fstab.before-potion-'),
        );
        assert.equal(copies.length, 1);
        assert.equal(bench.text(`etc/${copies[0]}`), OTHERS + end);
        rmSync(join(bench.root, 'etc', copies[0] as string));
        bench.umount();
      }
    });

    it('keeps the line that a person wrote for this disk, with what it lacks', () => {
      const same = (spec: string, options: string, becomes: string) => {
        bench.put(
          'etc/fstab',
          `${OTHERS}${spec} /mnt/potion-data/ ext4 ${options} 0 2\nLABEL=x none swap sw 0 0\n`,
        );
        run();
        assert.equal(
          bench.text('etc/fstab'),
          `${OTHERS}UUID=${uuid} /mnt/potion-data ext4 ${becomes} 0 2\nLABEL=x none swap sw 0 0\n`,
        );
        bench.umount();
      };
      same(`UUID=${uuid.toUpperCase()}`, 'defaults,noatime', OPTIONS);
      same('LABEL=family', 'defaults', OPTIONS);
      same(
        `UUID="${uuid}"`,
        'relatime,data=journal',
        'relatime,data=journal,nofail,x-systemd.device-timeout=10s',
      );
      same(
        device,
        'nofail,x-systemd.device-timeout=90s,noatime',
        'nofail,x-systemd.device-timeout=90s,noatime',
      );
    });

    it('is not changed when it has another disk there, or this one elsewhere', () => {
      for (const [text, why] of [
        ['UUID=1111-2222 /mnt/potion-data ext4 defaults 0 2\n', /mounts another disk on \/mnt\/potion-data/],
        [`UUID=${uuid} /srv/films ext4 defaults 0 2\n`, /mounts it on \/srv\/films/],
      ] as const) {
        bench.put('etc/fstab', text);
        refused(why);
        const erasing = bench.run(`--yes-erase=${device}`);
        assert.equal(erasing.code, 1, erasing.all);
        assert.doesNotMatch(erasing.all, /✓/);
        assert.equal(bench.text('etc/fstab'), text);
      }
    });

    it('gives the place of a disk that died to the new one, and only when this script had written the line', () => {
      const gone = '12345678-aaaa-bbbb-cccc-1234567890ab';
      bench.put('etc/fstab', `${OTHERS}UUID=${gone} /mnt/potion-data ext4 ${OPTIONS} 0 2\n`);
      assert.match(run(), /names a disk that is not here any more.*12345678-aaaa/);
      assert.equal(bench.text('etc/fstab'), `${OTHERS}${LINE()}\n`);
      bench.umount();
      const second = bench.disk();
      assert.match(bench.run(`--device=${second}`).all, /mounts another disk on/);
    });

    it('gets the new UUID in place of the old one when the disk is erased', () => {
      bench.put('etc/fstab', `${OTHERS}UUID=${uuid} /mnt/potion-data ext4 defaults 0 2\n`);
      const { code, all } = bench.run(`--yes-erase=${device}`);
      assert.equal(code, 0, all);
      uuid = sh('blkid', '-p', '-s', 'UUID', '-o', 'value', device);
      assert.equal(bench.text('etc/fstab'), `${OTHERS}${LINE()}\n`);
    });

    it('is left alone when it is a link', () => {
      writeFileSync(join(bench.root, 'etc/real'), '');
      symlinkSync('real', join(bench.root, 'etc/fstab'));
      refused(/is a link/);
      assert.equal(bench.text('etc/real'), '');
    });

    it('passes for a disk that may be missing: systemd waits ten seconds and boots on', () => {
      run();
      const out = mkdtempSync(join(tmpdir(), 'potion-units-'));
      try {
        const generator = '/usr/lib/systemd/system-generators/systemd-fstab-generator';
        if (!existsSync(generator)) return;
        const env = {
          PATH: process.env.PATH,
          SYSTEMD_FSTAB: join(bench.root, 'etc/fstab'),
          SYSTEMD_LOG_TARGET: 'console',
        };
        const { status, stderr } = spawnSync(generator, [out, out, out], { encoding: 'utf8', env });
        assert.equal(status, 0, stderr);
        const unit = readFileSync(join(out, 'mnt-potion\\x2ddata.mount'), 'utf8');
        assert.match(unit, new RegExp(`What=/dev/disk/by-uuid/${uuid}`));
        assert.match(unit, /Options=noatime,nofail/);
        assert.doesNotMatch(unit, /Before=local-fs\.target/);
        assert.ok(!existsSync(join(out, 'local-fs.target.requires')));
        assert.ok(existsSync(join(out, 'local-fs.target.wants', 'mnt-potion\\x2ddata.mount')));
      } finally {
        rmSync(out, { recursive: true });
      }
    });
  });

  describe('potion.env', () => {
    it('gets HDD_MOUNT once, and keeps its rest and its mode', () => {
      for (const before of [
        '',
        'HDD_MOUNT="/old"\n',
        "HDD_MOUNT='/old'\nX=1\nHDD_MOUNT=/older\n",
        '# HDD_MOUNT="/mnt/x"\n',
      ]) {
        bench.put('etc/potion/potion.env', `BOT_TOKEN="1:$a\`b"\n${before}LAST='$2b$08$x'\n`, 0o600);
        run();
        const text = bench.text('etc/potion/potion.env');
        assert.deepEqual(text.match(/^HDD_MOUNT=.*$/gm), ['HDD_MOUNT="/mnt/potion-data"']);
        for (const line of ['BOT_TOKEN="1:$a`b"', "LAST='$2b$08$x'"])
          assert.ok(text.split('\n').includes(line));
        const { mode, uid } = statSync(join(bench.root, 'etc/potion/potion.env'));
        assert.deepEqual([mode & 0o777, uid], [0o600, 0]);
        assert.ok(run().includes('= is so already: writing HDD_MOUNT'));
        bench.umount();
      }
    });

    it('is not made where Potion is not installed, and what is left to do is said', () => {
      bench.put('etc/passwd', 'root:x:0:0::/root:/bin/sh\n');
      const all = run();
      assert.match(all, /run this again: sudo .*prepare-disk.sh --device=\/dev\/loop/);
      assert.ok(!bench.has('etc/potion/potion.env'));
      assert.ok(!existsSync(join(bench.mountPoint, 'backups')), 'nobody’s folder');
      bench.put('etc/passwd', 'potion:x:4321:4322::/:/bin/sh\n');
      run();
      assert.equal(statSync(join(bench.mountPoint, 'backups')).uid, 4321);
    });
  });

  describe('the mount point', () => {
    it('may be another place', () => {
      const all = run('--mount=/srv/potion');
      assert.ok(bench.isMounted('srv/potion'));
      assert.match(bench.text('etc/fstab'), / \/srv\/potion ext4 /);
      assert.match(all, /ReadWritePaths=\/srv\/potion/, 'the service may not write there by itself');
    });

    it('may not be a place of the system, nor a name that fstab can not hold', () => {
      for (const place of [
        '/',
        '/etc',
        '/etc/x',
        '/usr/share/x',
        '/mnt',
        '/home',
        '/var/lib',
        '/var/lib/potion/x',
        '/tmp/x',
        'mnt/x',
        '/mnt/../etc',
        '/mnt/a b',
        '/mnt/$(reboot)',
        '/mnt//x',
        '/mnt/.x/..',
        '/mnt/x\\040y',
        '/mnt/-rf/..',
      ])
        refused(/must be a folder like/, `--mount=${place}`);
    });

    it('must be empty, no link, and free', () => {
      const place = bench.mountPoint;
      mkdirSync(place);
      writeFileSync(join(place, 'x'), '');
      refused(/is not empty/);
      rmSync(place, { recursive: true });
      symlinkSync('/etc', place);
      refused(/is a link/);
      rmSync(place);
      const other = bench.disk();
      sh('mkfs.ext4', '-q', other);
      bench.mount(other, 'mnt/potion-data');
      refused(/another disk is mounted/);
    });

    it('is fine when the disk is mounted there already', () => {
      bench.mount(device, 'mnt/potion-data');
      assert.match(run(), /= is so already: mounting/);
      assert.ok(existsSync(join(bench.mountPoint, '.potion-disk')));
    });
  });

  describe('what is on a disk that is used as it is', () => {
    const prepared = (make: (folder: string) => void) => {
      make(bench.mount(device, 'mnt/old'));
      bench.umount('mnt/old');
    };

    it('keeps its folder backups when it is somebody’s, and says how to change that', () => {
      prepared((folder) => {
        mkdirSync(join(folder, 'backups'));
        writeFileSync(join(folder, 'backups', 'thesis'), '');
      });
      assert.match(run(), /belongs to root.*chown potion:potion/s);
      assert.equal(statSync(join(bench.mountPoint, 'backups')).uid, 0);
    });

    it('can not lead it astray by links', () => {
      const victim = join(bench.root, 'etc/victim');
      writeFileSync(victim, 'mine', { mode: 0o600 });
      prepared((folder) => {
        symlinkSync(join(bench.root, 'etc'), join(folder, 'backups'));
        symlinkSync(victim, join(folder, '.potion-disk'));
      });
      assert.match(run(), /backups is no folder/);
      assert.equal(readFileSync(victim, 'utf8'), 'mine');
      assert.deepEqual([statSync(join(bench.root, 'etc')).uid, statSync(victim).mode & 0o777], [0, 0o600]);
      assert.ok(statSync(join(bench.mountPoint, '.potion-disk')).isFile());
    });

    it('may hold the mark of the disk that its files came from; that is put right', () => {
      prepared((folder) =>
        writeFileSync(join(folder, '.potion-disk'), 'UUID=ffffffff-0000-0000-0000-000000000000\n'),
      );
      run();
      assert.match(
        readFileSync(join(bench.mountPoint, '.potion-disk'), 'utf8'),
        new RegExp(`^UUID=${uuid}$`, 'm'),
      );
    });
  });
});

import assert from 'node:assert/strict';
import { disksOf, parseMountinfo, readMounts, readRoom, roomOf } from '../../nodes/host/mounts.js';

const paths = (mountinfo: string, always: string[] = []) =>
  disksOf(parseMountinfo(mountinfo), always).map(({ path }) => path);

// Ubuntu 24.04 with a data disk, snaps, Docker, a desktop session, a file server and a USB stick.
const LAPTOP = `
22 28 0:21 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
23 28 0:22 / /proc rw,nosuid,nodev,noexec,relatime shared:14 - proc proc rw
24 28 0:5 / /dev rw,nosuid,relatime shared:2 - devtmpfs udev rw,size=3968904k,mode=755
26 28 0:24 / /run rw,nosuid,nodev,noexec,relatime shared:5 - tmpfs tmpfs rw,size=803264k,mode=755
28 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw,errors=remount-ro
31 28 8:1 / /boot/efi rw,relatime shared:29 - vfat /dev/sda1 rw,fmask=0077
44 28 7:0 / /snap/core22/1380 ro,nodev,relatime shared:33 - squashfs /dev/loop0 ro,errors=continue
45 28 7:1 / /snap/snapd/21759 ro,nodev,relatime shared:35 - squashfs /dev/loop1 ro,errors=continue
60 28 8:17 / /mnt/potion-data rw,noatime shared:60 - ext4 /dev/sdb1 rw
61 60 8:17 /dumps /srv/dumps rw,noatime shared:60 - ext4 /dev/sdb1 rw
70 28 0:45 / /var/lib/docker/overlay2/4f3c/merged rw,relatime shared:80 - overlay overlay rw,lowerdir=/x
71 26 0:4 net:[4026532567] /run/docker/netns/2e1 rw shared:81 - nsfs nsfs rw
80 26 0:50 / /run/user/1000 rw,nosuid,nodev,relatime shared:90 - tmpfs tmpfs rw,size=803260k
81 80 0:51 / /run/user/1000/gvfs rw,nosuid,nodev,relatime shared:91 - fuse.gvfsd-fuse gvfsd-fuse rw
82 80 0:52 / /run/user/1000/doc rw,nosuid,nodev,relatime shared:92 - fuse.portal portal rw
90 28 0:60 / /mnt/films rw,relatime shared:99 - autofs systemd-1 rw,fd=52
91 90 0:61 / /mnt/films rw,relatime shared:98 - nfs4 nas:/films rw,vers=4.2
92 26 8:33 / /run/media/dre/USB\\040STICK rw,nosuid,nodev - vfat /dev/sdc1 rw
93 28 0:62 / /mnt/pool rw,relatime shared:97 - fuse.mergerfs a:b rw
`;

describe('disks', () => {
  it('are the file systems that hold files: no tmpfs, overlay, snap, bind mount, portal or automount', () => {
    assert.deepEqual(paths(LAPTOP), [
      '/',
      '/boot/efi',
      '/mnt/films',
      '/mnt/pool',
      '/mnt/potion-data',
      '/run/media/dre/USB STICK',
    ]);
  });

  it('leave the data disk out when it is not mounted, and keep it whatever its type is when it is', () => {
    const mountinfo = LAPTOP.split('\n').filter((line) => !line.includes('/mnt/potion-data'));
    assert.ok(!paths(mountinfo.join('\n'), ['/mnt/potion-data']).includes('/mnt/potion-data'));
    const asBind = `${mountinfo.join('\n')}\n99 28 8:2 /data /mnt/potion-data rw - ext4 /dev/sda2 rw`;
    assert.ok(!paths(asBind).includes('/mnt/potion-data'));
    assert.ok(paths(asBind, ['/mnt/potion-data/']).includes('/mnt/potion-data'));
  });

  it('show a file system once, under its shortest name', () => {
    const btrfs = `
30 1 0:26 /@ / rw,relatime shared:1 - btrfs /dev/sda3 rw,subvol=/@
50 30 0:26 /@home /home rw,relatime shared:30 - btrfs /dev/sda3 rw,subvol=/@home
51 30 8:17 / /srv/a-long-name rw - xfs /dev/sdb1 rw
52 30 8:17 / /srv/b rw - xfs /dev/sdb1 rw`;
    assert.deepEqual(paths(btrfs), ['/', '/srv/b']);
  });

  it('always have the root directory, also in a container where it is an overlay', () => {
    const container = `
500 400 0:70 / / rw,relatime - overlay overlay rw,lowerdir=/l
501 500 0:71 / /proc rw - proc proc rw
502 500 8:2 /var/lib/docker/containers/x/hosts /etc/hosts rw - ext4 /dev/sda2 rw
503 500 8:2 /var/lib/docker/volumes/data/_data /data rw - ext4 /dev/sda2 rw`;
    assert.deepEqual(paths(container), ['/', '/data']);
  });

  it('see only the upper of two mounts at one place', () => {
    const twice = `
28 1 8:2 / / rw - ext4 /dev/sda2 rw
60 28 8:17 / /mnt/x rw - ext4 /dev/sdb1 rw
61 28 0:90 / /mnt/x rw - tmpfs tmpfs rw`;
    assert.deepEqual(paths(twice), ['/']);
  });

  it('survive lines that make no sense', () => {
    assert.deepEqual(parseMountinfo('\n- -\n1 2 3\n1 2 0:1 / /x rw - \n'), []);
  });
});

describe('room on a disk', () => {
  it('is counted in fragments, not in the size of a transfer', () => {
    const zfs = { bsize: 131_072, frsize: 512, blocks: 1000, bfree: 400, bavail: 400 };
    assert.deepEqual(roomOf(zfs), { size: 512_000, used: 307_200, available: 204_800, ratio: 0.6 });
    assert.equal(roomOf({ ...zfs, frsize: undefined }).size, 131_072_000);
  });

  it('is full when nobody but root can write', () => {
    assert.equal(roomOf({ bsize: 4096, blocks: 100, bfree: 5, bavail: 0 }).ratio, 1);
    assert.equal(roomOf({ bsize: 4096, blocks: 100, bfree: 100, bavail: 95 }).ratio, 0);
    assert.equal(roomOf({ bsize: 4096, blocks: 0, bfree: 0, bavail: 0 }).ratio, 0);
  });

  it('can be read of this machine’s root directory', async () => {
    assert.equal(disksOf(await readMounts())[0]?.path, '/');
    const { size, used, available, ratio } = await readRoom('/');
    assert.ok(used + available <= size && used > 0 && ratio > 0 && ratio <= 1);
  });
});

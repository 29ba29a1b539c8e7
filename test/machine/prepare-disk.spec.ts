import assert from 'node:assert/strict';
import { Bench } from '../ops/prepare-disk-fixture.ts';
import { needs } from '../support/needs.ts';
import { bootMachine, GUEST_HOME, type Machine } from './machine.ts';

const SCRIPT = `${GUEST_HOME}/ops/install/prepare-disk.sh`;

describe('prepare-disk.sh on a booted machine, with its real /etc', function () {
  this.timeout(60_000);
  let bench: Bench;
  let device: string;
  let machine: Machine;

  before(async function () {
    needs(this, 'root', 'systemd-nspawn', 'loop');
    bench = new Bench();
    device = bench.disk();
    machine = await bootMachine({
      binds: { [device]: device },
      files: { '/etc/potion/potion.env': 'A=1\n' },
    });
    await machine.run(['useradd', '--system', '--user-group', 'potion']);
    await machine.run(['chmod', '600', '/etc/potion/potion.env']);
  });
  after(async () => {
    await machine?.stop();
    bench?.close();
  });

  it('mounts the disk, writes an fstab that findmnt finds no fault with, and tells Potion', async () => {
    const said = await machine.run([SCRIPT, '--lang=en', `--device=${device}`]);
    assert.match(said, /telling systemd/);
    assert.match(await machine.run(['findmnt', '--verify']), /no errors or warnings/);
    assert.match(
      await machine.run(['cat', '/etc/fstab']),
      /^UUID=\S+ \/mnt\/potion-data ext4 noatime,nofail,x-systemd\.device-timeout=10s 0 2$/,
    );
    assert.equal(await machine.run(['cat', '/etc/potion/potion.env']), 'A=1\nHDD_MOUNT="/mnt/potion-data"');
    assert.equal(await machine.run(['stat', '-c', '%U %a', '/etc/potion/potion.env']), 'root 600');
    assert.equal(await machine.run(['systemctl', 'is-active', 'mnt-potion\\x2ddata.mount']), 'active');
    await machine.run(['touch', '/mnt/potion-data/backups/x'], { user: 'potion' });
    const mark = await machine.exec(['sh', '-c', 'echo >> /mnt/potion-data/.potion-disk'], {
      user: 'potion',
    });
    assert.notEqual(mark.code, 0, 'the mark is not for Potion to write');
  });

  it('mounts it again by its line in fstab', async () => {
    await machine.run(['umount', '/mnt/potion-data']);
    await machine.run(['mount', '/mnt/potion-data']);
    assert.equal(await machine.run(['findmnt', '-nro', 'SOURCE', '/mnt/potion-data']), device);
  });

  it('is for root alone', async () => {
    const { code, stderr } = await machine.exec([SCRIPT, '--lang=en', '--list'], { user: 'potion' });
    assert.equal(code, 1);
    assert.match(stderr, /must be run as root/);
  });
});

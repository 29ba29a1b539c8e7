import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, totalmem, uptime } from 'node:os';
import { dirname, join } from 'node:path';
import { memoryOf, readMemory } from '../../nodes/host/memory.js';
import { parseNetDev } from '../../nodes/host/network-counters.js';
import { parseProcStat, readProcStat } from '../../nodes/host/proc-stat.js';
import { findSensors, parseMillidegrees, readTemperature } from '../../nodes/host/temperature.js';

describe('/proc/stat', () => {
  it('gives busy and total CPU time; waiting for a disk is idle, stolen time is busy, guests count once', () => {
    const { cpu, bootTime } = parseProcStat(
      'cpu  100 10 50 800 40 3 7 5 90 9\ncpu0 1 1 1 1 1 1 1 1 1 1\nintr 5 0\nbtime 1700000000\n',
    );
    assert.deepEqual(cpu, { busy: 175, total: 1015 });
    assert.equal(bootTime, 1_700_000_000_000);
  });

  it('is read of kernels that tell fewer columns, and gives nothing where nothing is', () => {
    assert.deepEqual(parseProcStat('cpu  5 0 5 90\n'), {
      cpu: { busy: 10, total: 100 },
      bootTime: undefined,
    });
    assert.deepEqual(parseProcStat(''), { cpu: undefined, bootTime: undefined });
    assert.equal(parseProcStat('cpu  x\n').cpu, undefined);
  });

  it('agrees with the uptime of this machine', async () => {
    const { bootTime = 0 } = await readProcStat();
    assert.ok(Math.abs(Date.now() - uptime() * 1000 - bootTime) < 5000);
  });
});

describe('/proc/net/dev', () => {
  it('gives the bytes of interfaces that carry traffic of their own', () => {
    const text = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:    7845      97    0    0    0     0          0         0     7845      97    0    0    0     0       0          0
enp3s0:1179740061   35669    0    0    0     0          0         0  3736527   23721    0    0    0     0       0          0
tailscale0:     500       5    0    0    0     0          0         0      700       7    0    0    0     0       0          0
docker0:       1       1    0    0    0     0          0         0        1       1    0    0    0     0       0          0
br-4f3c2a: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0
veth12ab:      1       1    0    0    0     0          0         0        1       1    0    0    0     0       0          0
`;
    assert.deepEqual(parseNetDev(text), {
      enp3s0: { rx: 1_179_740_061, tx: 3_736_527 },
      tailscale0: { rx: 500, tx: 700 },
    });
  });
});

describe('memory', () => {
  const raw = { total: 8000, available: 6000, buffers: 100, cached: 900, swaptotal: 2000, swapfree: 1500 };

  it('counts as used what could not be had at once', () => {
    assert.deepEqual(memoryOf(raw), {
      memory: { total: 8000, used: 2000, cache: 1000, available: 6000, ratio: 0.25 },
      swap: { total: 2000, used: 500, ratio: 0.25 },
    });
  });

  it('is absent, not 0, where it could not be read; so is swap where there is none', () => {
    assert.equal(memoryOf({ ...raw, total: 0 }).memory, undefined);
    assert.equal(memoryOf({ ...raw, available: Number.NaN }).memory, undefined);
    assert.equal(memoryOf({ ...raw, swaptotal: 0, swapfree: 0 }).swap, undefined);
  });

  it('can be read of this machine', async () => {
    const { memory } = await readMemory();
    assert.equal(memory?.total, totalmem());
  });
});

describe('CPU temperature', () => {
  let sys: string;
  beforeEach(() => {
    sys = mkdtempSync(join(tmpdir(), 'potion-sys-'));
  });
  afterEach(() => rmSync(sys, { recursive: true }));

  function lay(files: Record<string, string>): void {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(sys, name)), { recursive: true });
      writeFileSync(join(sys, name), `${text}\n`);
    }
  }
  const read = async () => readTemperature(await findSensors(sys));

  // As an ASUS X450L shows it: disk, battery and board sensors beside the CPU's.
  const LAPTOP = {
    'class/hwmon/hwmon0/name': 'acpitz',
    'class/hwmon/hwmon0/temp1_input': '27800',
    'class/hwmon/hwmon1/name': 'drivetemp',
    'class/hwmon/hwmon1/temp1_input': '41000',
    'class/hwmon/hwmon2/name': 'coretemp',
    'class/hwmon/hwmon2/temp1_input': '68000',
    'class/hwmon/hwmon2/temp1_label': 'Package id 0',
    'class/hwmon/hwmon2/temp1_max': '100000',
    'class/hwmon/hwmon2/temp2_input': '66000',
    'class/hwmon/hwmon2/temp2_label': 'Core 0',
    'class/thermal/thermal_zone0/type': 'acpitz',
    'class/thermal/thermal_zone0/temp': '27800',
    'class/thermal/cooling_device0/type': 'Processor',
  };

  it('is the whole package’s where the chip tells it', async () => {
    lay(LAPTOP);
    assert.equal(await read(), 68);
  });

  it('is the hottest core’s otherwise', async () => {
    lay({ ...LAPTOP, 'class/hwmon/hwmon2/temp1_label': 'Core 1', 'class/hwmon/hwmon2/temp2_input': '71500' });
    assert.equal(await read(), 71.5);
  });

  it('falls back to the next best sensor when the best gives no reading', async () => {
    lay({ ...LAPTOP, 'class/hwmon/hwmon2/temp1_input': '0', 'class/hwmon/hwmon2/temp2_input': '' });
    assert.equal(await read(), 27.8);
  });

  it('comes from a thermal zone on boards without such a chip', async () => {
    lay({ 'class/thermal/thermal_zone0/type': 'cpu-thermal', 'class/thermal/thermal_zone0/temp': '48312' });
    assert.equal(await read(), 48.312);
  });

  it('is absent where there is no sensor, as in a virtual machine', async () => {
    assert.equal(await read(), undefined);
    lay({ 'class/hwmon/hwmon0/name': 'nvme', 'class/hwmon/hwmon0/temp1_input': '38000' });
    assert.equal(await read(), undefined);
  });

  it('refuses readings that no running CPU has', () => {
    for (const text of ['0', '-273200', '255000', '127500000', '', 'n/a'])
      assert.equal(parseMillidegrees(text), undefined, text);
    assert.equal(parseMillidegrees('-5000'), -5);
  });
});

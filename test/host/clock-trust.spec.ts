import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clockSettled, clockTrust, type TrustFiles } from '../../nodes/host/clock-trust.js';
import { ManualClock } from '../../nodes/kit/clock.js';

describe('trust in the clock', () => {
  const clock = new ManualClock();
  let home: string;
  let files: TrustFiles;

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'potion-clock-'));
    files = { timesync: join(home, 'timesync'), rtc: join(home, 'rtc') };
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  const timesyncd = () => mkdirSync(files.timesync);
  const synchronized = () => writeFileSync(join(files.timesync, 'synchronized'), '');
  const rtc = (at: number) => writeFileSync(files.rtc, `${Math.round(at / 1000)}\n`);

  it('is sure where no systemd-timesyncd runs, and once that has set the clock', () => {
    assert.equal(clockTrust(clock.now(), files), 'sure');
    timesyncd();
    rtc(0);
    synchronized();
    assert.equal(clockTrust(clock.now(), files), 'sure');
  });

  it('is unsure until then', () => {
    timesyncd();
    assert.equal(clockTrust(clock.now(), files), 'unsure');
    rtc(clock.now() + 7 * 3_600_000);
    assert.equal(clockTrust(clock.now(), files), 'unsure', 'a battery-backed clock in local time');
  });

  it('is wrong when the battery-backed clock has started over', () => {
    timesyncd();
    rtc(Date.UTC(2000, 0, 1));
    assert.equal(clockTrust(clock.now(), files), 'wrong');
  });

  it('waits until the clock is set', async () => {
    timesyncd();
    const settled = clockSettled(clock, 60_000, new AbortController().signal, files);
    synchronized();
    await settled;
  });

  it('waits no longer than it is told to', async () => {
    timesyncd();
    const settled = clockSettled(clock, 60_000, new AbortController().signal, files);
    clock.advance(60_000);
    await settled;
  });

  it('ends its wait when the node closes', async () => {
    timesyncd();
    const closing = new AbortController();
    const settled = clockSettled(clock, 60_000, closing.signal, files);
    closing.abort();
    await settled;
  });
});

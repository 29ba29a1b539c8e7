import assert from 'node:assert/strict';
import { type Latest, reuse } from '../../nodes/sense/metrics/latest.js';

const LATEST: Latest = {
  at: 1000,
  timestamp: 5,
  groups: ['cpu', 'disks', 'uptime', 'temperature'],
  sample: {
    cpu: { load: 0.5 },
    disks: { '/': { size: 4, used: 1, available: 3, ratio: 0.25 } },
    uptime: 60,
    bootTime: 1,
    missing: { 'disk:/mnt/x': 'timeout', temperature: 'none' },
  },
};

describe('the last sample, given out again', () => {
  it('is cut down to what was asked for, with its gaps', () => {
    assert.deepEqual(reuse(LATEST, ['disks', 'uptime'], 2000, 1000), {
      timestamp: 5,
      sample: {
        disks: LATEST.sample.disks,
        uptime: 60,
        bootTime: 1,
        missing: { 'disk:/mnt/x': 'timeout' },
      },
    });
    assert.deepEqual(reuse(LATEST, ['cpu', 'temperature'], 1000, 0)?.sample, {
      cpu: { load: 0.5 },
      missing: { temperature: 'none' },
    });
  });

  it('is none when it is too old, or lacks a group', () => {
    assert.equal(reuse(LATEST, ['cpu'], 2001, 1000), undefined);
    assert.equal(reuse(LATEST, ['cpu', 'network'], 1000, 1000), undefined);
    assert.equal(reuse(undefined, ['cpu'], 1000, 1000), undefined);
  });

  it('is none while a rate waits for its second reading', () => {
    const first = { ...LATEST, sample: { missing: { cpu: 'first-sample' } } };
    assert.equal(reuse(first, ['cpu'], 1000, 1000), undefined);
    assert.ok(reuse(first, ['uptime'], 1000, 1000));
  });
});

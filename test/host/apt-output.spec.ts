import assert from 'node:assert/strict';
import { aptPlan, aptSummary } from '../../nodes/host/apt-output.js';

const SIMULATION = `Reading package lists...
Building dependency tree...
Reading state information...
Calculating upgrade...
The following upgrades have been deferred due to phasing:
  libnss-systemd libpam-systemd systemd
  systemd-sysv
The following packages have been kept back:
  linux-generic
The following NEW packages will be installed:
  linux-image-6.8.0-50-generic
The following packages will be upgraded:
  libssl3t64 tzdata
2 upgraded, 1 newly installed, 0 to remove and 5 not upgraded.
Inst libssl3t64 [3.0.13-0ubuntu3.4] (3.0.13-0ubuntu3.5 Ubuntu:24.04/noble-updates, Ubuntu:24.04/noble-security [amd64])
Inst tzdata [2024a-3ubuntu1] (2025b-0ubuntu0.24.04 Ubuntu:24.04/noble-updates [all]) []
Inst linux-image-6.8.0-50-generic (6.8.0-50.51 Ubuntu:24.04/noble-updates [amd64])
Conf libssl3t64 (3.0.13-0ubuntu3.5 Ubuntu:24.04/noble-updates [amd64])`.split('\n');

describe('what apt-get prints', () => {
  it('is read as what an upgrade would change, and what it leaves', () => {
    assert.deepEqual(aptPlan(SIMULATION), {
      changes: [
        {
          name: 'libssl3t64',
          from: '3.0.13-0ubuntu3.4',
          to: '3.0.13-0ubuntu3.5',
          origin: 'Ubuntu:24.04/noble-updates, Ubuntu:24.04/noble-security',
          security: true,
        },
        {
          name: 'tzdata',
          from: '2024a-3ubuntu1',
          to: '2025b-0ubuntu0.24.04',
          origin: 'Ubuntu:24.04/noble-updates',
          security: false,
        },
        {
          name: 'linux-image-6.8.0-50-generic',
          to: '6.8.0-50.51',
          origin: 'Ubuntu:24.04/noble-updates',
          security: false,
        },
      ],
      kept: ['libnss-systemd', 'libpam-systemd', 'systemd', 'systemd-sysv', 'linux-generic'],
    });
  });

  it('is read as counts', () => {
    assert.deepEqual(aptSummary(SIMULATION), { upgraded: 2, installed: 1, kept: 5 });
    assert.deepEqual(aptSummary([]), { upgraded: 0, installed: 0, kept: 0 });
  });
});

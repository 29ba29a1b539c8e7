import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { polkitRules } from '../../ops/install/polkit.mjs';
import { HOME } from '../support/node-red.ts';
import { bootMachine, GUEST_HOME, GUEST_NODE, type Machine, type MachineOptions } from './machine.ts';

const UNITS = [
  'potion-helper.socket',
  'potion-helper@.service',
  'potion-processes.socket',
  'potion-processes@.service',
  'potion-packages.socket',
  'potion-packages@.service',
];
const SOCKETS = UNITS.filter((name) => name.endsWith('.socket'));

/** Boots a machine on which Potion's privileges are as the installer leaves them, for this whitelist. */
export async function bootPrivileged(whitelist: string[], options: MachineOptions = {}): Promise<Machine> {
  const units = UNITS.map((name) => [
    name,
    readFileSync(join(HOME, 'ops/install/files/systemd', name), 'utf8'),
  ]);
  const machine = await bootMachine({
    ...options,
    units: { ...Object.fromEntries(units), ...options.units },
    files: { '/etc/polkit-1/rules.d/50-potion.rules': polkitRules(whitelist), ...options.files },
  });
  const script = `set -e
    useradd --system --home-dir /var/lib/potion --shell /usr/sbin/nologin potion
    useradd --system other
    mkdir -p /opt/potion/releases/test/.potion/bin /etc/potion
    cd /opt/potion/releases/test
    for part in nodes ops node_modules package.json; do ln -s ${GUEST_HOME}/$part .; done
    ln -s ${GUEST_NODE} .potion/bin/node
    ln -s releases/test /opt/potion/current
    systemctl start ${SOCKETS.join(' ')}`;
  await machine.run(['sh', '-c', script]);
  return machine;
}

import { setTimeout as sleep } from 'node:timers/promises';
import { Driver, until } from '../machine/driver.ts';
import { bootMachine, type Machine } from '../machine/machine.ts';
import { percentile, type Row } from './table.ts';

const UNIT = '[Service]\nExecStart=/bin/sleep infinity\n';
const placed = (node: object) => ({ z: 'tab', x: 0, y: 0, version: 1, ...node });
const FLOW = [
  { id: 'tab', type: 'tab' },
  placed({ id: 'services', type: 'potion-services', units: '', initial: true, wires: [['heal']] }),
  placed({
    id: 'heal',
    type: 'potion-self-heal',
    tries: 3,
    window: 1800,
    backoff: 5,
    growth: 3,
    stable: 30,
    patience: 300,
    coolDown: 1800,
    journal: 8,
    ended: false,
    command: '',
    wires: [['out'], ['out'], ['out']],
  }),
  placed({ id: 'out', type: 'helper' }),
];

/**
 * Milliseconds from the moment at which systemd calls a unit failed to the one at which it is being started
 * again, by systemd's own clock. Each unit is killed once, with a database on the disk.
 */
export async function healLatencies(count = 50): Promise<number[]> {
  const machine = await bootMachine({ units: { 'bench@.service': UNIT } });
  try {
    const units = Array.from({ length: count }, (_, i) => `bench@${i}.service`);
    const env = { SERVICES_WHITELIST: units.join(' '), DATA_DIR: '/var/tmp/potion' };
    await machine.run(['systemctl', 'start', ...units]);
    const potion = new Driver(machine, 'flow', { env });
    await potion.ask('start', ['sense/services', 'act/self-heal'], FLOW, '/var/tmp/potion.db');
    // The first states of all these units come in first.
    await sleep(3000);
    const found: number[] = [];
    for (const unit of units) found.push(await latency(machine, unit));
    return found;
  } finally {
    await machine.stop();
  }
}

async function latency(machine: Machine, unit: string): Promise<number> {
  const times = async () => {
    const names = 'InactiveEnterTimestampMonotonic,InactiveExitTimestampMonotonic';
    const shown = await machine.run(['systemctl', 'show', '-p', names, unit]);
    const [down = 0, up = 0] = names.split(',').map((name) => Number(shown.match(`${name}=(\\d+)`)?.[1]));
    return { down, up };
  };
  await machine.run(['systemctl', 'kill', '--signal=KILL', unit]);
  const { down, up } = await until(async () => {
    // Asking costs processor time that the measured one needs.
    await sleep(200);
    const seen = await times();
    return seen.down > 0 && seen.up > seen.down ? seen : undefined;
  });
  return (up - down) / 1000;
}

/** The line of the benchmark's table. Needs root and systemd-nspawn. */
export async function healLatency(): Promise<Row[]> {
  const found = await healLatencies();
  const at = (share: number) => percentile(found, share).toFixed(1);
  return [
    {
      what: `unit failed → first restart (${found.length} units)`,
      figure: `p50 ${at(0.5)} ms, p95 ${at(0.95)} ms`,
      aim: 'p95 ≤ 50 ms',
    },
  ];
}

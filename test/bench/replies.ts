import { setTimeout as sleep } from 'node:timers/promises';
import { layOut } from '../machine/installed.ts';
import { bootMachine } from '../machine/machine.ts';
import { percentile, type Row } from './table.ts';

const ROUNDS = 60;
const SERVICES = 10;
const UNIT = '[Service]\nExecStart=/bin/sleep infinity\n';
/** The Co-Pilot's first samples, and what else a start brings. */
const SETTLE = 20_000;

/** Command → reply of an installed Potion with real systemd and ten services. Needs root and systemd-nspawn. */
export async function replies(): Promise<Row[]> {
  const units = Array.from({ length: SERVICES }, (_, i) => `bench@${i}.service`);
  const machine = await bootMachine({ units: { 'bench@.service': UNIT }, start: units });
  try {
    const potion = await layOut(machine, {
      env: { SERVICES_WHITELIST: units.join(' ') },
    });
    await potion.start();
    await sleep(SETTLE);
    const times = await potion.telegram.ask<Record<string, number[]>>(
      'replyTimes',
      ['/status', '/help'],
      ROUNDS,
    );
    const at = (text: string, share: number) => percentile(times[text] ?? [], share).toFixed(0);
    const figure = (text: string) => `p95 ${at(text, 0.95)} ms (p50 ${at(text, 0.5)} ms)`;
    return [
      {
        what: `/status: update in → API call out (${SERVICES} services)`,
        figure: figure('/status'),
        against: `/help: ${figure('/help')}`,
        aim: 'p95 ≤ 150 ms',
      },
    ];
  } finally {
    await machine.stop();
  }
}

// Runs inside the machine: Potion's systemd client, driven by a test outside.
import { Systemd } from '../../../nodes/host/systemd.js';
import { systemClock } from '../../../nodes/kit/clock.js';
import { serve, tell } from './serve.ts';

const handles: Systemd[] = [];

function systemd(): Systemd {
  const last = handles.at(-1);
  if (!last) throw new Error('not connected');
  return last;
}

/** The time from the SIGKILL of a unit's main process to the event, ms. */
async function latency(unit: string): Promise<number> {
  await systemd().restart(unit);
  const { mainPid } = await systemd().state(unit);
  let known = false;
  return new Promise((resolve) => {
    let killed = 0;
    const unwatch = systemd().watch([unit], ({ condition }) => {
      if (condition === 'active' && !known) {
        known = true;
        killed = performance.now();
        process.kill(mainPid, 'SIGKILL');
      } else if (killed > 0 && condition !== 'active') {
        const took = performance.now() - killed;
        unwatch().then(() => resolve(took));
      }
    });
  });
}

serve({
  async connect({ reconcile, patient }: { reconcile?: number; patient?: boolean }) {
    // A shorter time between reconciles, to see one within a test.
    const clock = {
      ...systemClock,
      every: (_ms: number, run: () => void) => systemClock.every(reconcile ?? 60_000, run),
    };
    const handle = await Systemd.connect({ patient, clock });
    handles.push(handle);
    handle.onLost((why) => tell({ lost: why.message }));
    handle.onBack(() => tell({ back: true }));
    return handle.trouble?.code ?? 'connected';
  },
  watch(...units: string[]) {
    systemd().watch(units, (state, previous) =>
      tell({ unit: state.unit, condition: state.condition, previous: previous?.condition ?? null, state }),
    );
  },
  state: (unit: string) => systemd().state(unit),
  states: (...units: string[]) => systemd().states(units),
  start: (unit: string, options?: object) => systemd().start(unit, options),
  stop: (unit: string, options?: object) => systemd().stop(unit, options),
  restart: (unit: string, options?: object) => systemd().restart(unit, options),
  resetFailed: (unit: string) => systemd().resetFailed(unit),
  async latency(unit: string, times: number) {
    const all: number[] = [];
    for (let i = 0; i < times; i++) all.push(await latency(unit));
    return all;
  },
  pid: () => process.pid,
  close: () => handles.pop()?.close(),
});

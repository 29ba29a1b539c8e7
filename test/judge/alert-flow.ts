import type { AlertPayload } from '../../nodes/judge/alert/delivery.js';
import { ManualClock, systemClock } from '../../nodes/kit/clock.js';
import { setClock } from '../../nodes/kit/define-node.js';
import type { Message } from '../../nodes/kit/messages.js';
import { type Database, openDatabase } from '../../nodes/state/database.js';
import { type Running, startFlow } from '../support/node-red.ts';

const NODE = {
  id: 'alert',
  type: 'potion-alert',
  z: 'tab',
  version: 1,
  property: 'payload.cpu.load',
  code: 'cpu',
  label: '',
  unit: 'ratio',
  severity: 'critical',
  operator: 'above',
  threshold: '90%',
  clear: '',
  values: '',
  for: 0,
  keepFiring: 0,
  repeat: 0,
  missing: 'resolve',
  missingAfter: 300,
  wires: [['say'], ['changes']],
};
const REST = [
  { id: 'tab', type: 'tab' },
  { id: 'say', type: 'helper', z: 'tab' },
  { id: 'changes', type: 'helper', z: 'tab' },
  { id: 'catch', type: 'catch', z: 'tab', x: 0, y: 0, wires: [['caught']] },
  { id: 'caught', type: 'helper', z: 'tab' },
];

export const payloadOf = (msg: Message | undefined) => msg?.payload as AlertPayload;
export const states = (all: Message[]) => all.map((msg) => `${payloadOf(msg).code} ${payloadOf(msg).state}`);

/** An alert node in real Node-RED, with a clock that stands still and a database that outlives a restart. */
export class AlertFlow {
  // Now, because the node compares the time with the boot of the machine.
  readonly clock = new ManualClock(Date.now());
  readonly db: Database;
  running!: Running;

  private constructor(db: Database) {
    this.db = db;
  }

  static async open(): Promise<AlertFlow> {
    const flow = new AlertFlow(await openDatabase(':memory:'));
    setClock(flow.clock);
    return flow;
  }

  async close(): Promise<void> {
    await this.running.stop();
    await this.db.destroy();
    setClock(systemClock);
  }

  async start(config: object = {}): Promise<void> {
    this.running = await startFlow(['judge/alert'], [{ ...NODE, ...config }, ...REST], this.db);
  }

  async restart(config: object = {}): Promise<void> {
    await this.running.stop();
    await this.start(config);
  }

  /** Gives a message and waits until the node is done with it. */
  async give(payload: unknown, more: Message = {}): Promise<void> {
    const shown = () => this.running.statuses('alert').length;
    const before = shown();
    this.running.give('alert', { payload, timestamp: this.clock.now(), ...more });
    while (shown() === before) await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Gives a sample with this CPU load. */
  load(value: number | undefined, more?: Message): Promise<void> {
    return this.give({ cpu: { load: value } }, more);
  }

  /** What has been told since the start, as `code state`. */
  get told(): string[] {
    return states(this.running.got('say'));
  }
}

import { ManualClock, systemClock } from '../../nodes/kit/clock.js';
import { readConfig, setConfig } from '../../nodes/kit/config.js';
import { setClock } from '../../nodes/kit/define-node.js';
import type { Draft, Message, Request } from '../../nodes/kit/messages.js';
import { type Running, startFlow } from '../support/node-red.ts';

export const NOW = Date.UTC(2026, 0, 1);
export const SAY = {
  id: 'say',
  type: 'potion-say',
  z: 'tab',
  x: 1,
  y: 1,
  text: '',
  textType: 'key',
  to: 'asker',
  chat: '',
  kind: 'auto',
  silent: false,
  editPressed: false,
  fileAbove: 0,
  buttons: '',
  keyboard: false,
  wires: [['out']],
};
export const request: Request = {
  id: '7:1:2',
  user: 7,
  chat: 7,
  command: 'status',
  args: [],
  startedAt: NOW,
};
export const incident = { id: 'i1', code: 'cpu', severity: 'warning', state: 'firing', since: NOW } as const;

/** For the tests of a describe: a say node that each starts as it wants it, at NOW, with the admins 1 and 2. */
export function useSay() {
  let flow: Running;
  const start = async (config: object = {}, env: Record<string, string> = {}, base: object = SAY) => {
    setConfig(readConfig({ ADMIN_IDS: '1,2', SERVER_NAME: 'rumah', ...env }, '/tmp'));
    setClock(new ManualClock(NOW));
    flow = await startFlow(
      ['tell/say'],
      [
        { id: 'tab', type: 'tab' },
        { ...base, ...config },
        { id: 'out', type: 'helper', z: 'tab', x: 1, y: 1 },
        { id: 'catch', type: 'catch', z: 'tab', x: 1, y: 1, wires: [['caught']] },
        { id: 'caught', type: 'helper', z: 'tab', x: 1, y: 1 },
      ],
    );
    setClock(systemClock);
  };
  afterEach(async () => {
    await flow.stop();
    setConfig(undefined);
  });

  const said = async (msg: Message): Promise<Draft[]> => {
    const next = flow.next('out');
    flow.give('say', msg);
    return (await next).payload as Draft[];
  };
  const first = async (msg: Message): Promise<Draft> => (await said(msg))[0] as Draft;
  const fails = async (msg: Message): Promise<string | undefined> => {
    const caught = flow.next('caught');
    flow.give('say', msg);
    return (await caught).error?.cause?.text;
  };

  return {
    get flow() {
      return flow;
    },
    start,
    said,
    first,
    fails,
  };
}

import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatNodes } from '../../ops/runtime/flows/format.js';
import type { FlowNode } from '../../ops/runtime/flows/model.js';
import { HOME } from '../support/node-red.ts';

/** A sample above this is an alarm: alarm n begins with the value ALARM + n and ends with -n. */
export const ALARM = 1000;

/** Short limits, so that a request that hangs and a backlog that becomes a digest fit into the run. */
const LIMITS = { answerWithin: 6, digestCount: 8, digestMinutes: 0.1 };

const ALARM_TEXT = `{% if incident.state == 'firing' %}alarm #{{ payload.value | minus: ${ALARM} }} begins
{%- else %}alarm #{{ payload.value | abs }} ends{% endif %}`;

const SAY = {
  type: 'potion-say',
  name: '',
  buttons: '',
  chat: '',
  editPressed: true,
  fileAbove: 0,
  keyboard: false,
  kind: 'auto',
  silent: false,
  text: '',
  textType: 'template',
  to: 'asker',
  version: 1,
};

/**
 * Puts Potion's own flows into a folder, with one more tab: a door for numbered events and samples, which
 * answers once they are kept, and three commands.
 * @param effects file to which each change that a command makes adds a line
 */
export function layFlows(folder: string, effects: string): void {
  cpSync(join(HOME, 'flows'), folder, { recursive: true });
  const telegram = join(folder, 'telegram.tg.json');
  const nodes = JSON.parse(readFileSync(telegram, 'utf8')) as FlowNode[];
  const own = nodes.map((node): FlowNode => {
    if (node.id === 'tg-outbox') return { ...node, ...LIMITS };
    if (node.id === 'tg-in') return { ...node, links: [...(node.links as string[]), 'ch-out'] };
    return node;
  });
  writeFileSync(telegram, formatNodes([...own, ...kept()]));
  writeFileSync(join(folder, 'chaos.ch.json'), formatNodes(tab(effects)));
  writeFileSync(join(folder, 'order.txt'), 'chaos.ch.json\n', { flag: 'a' });
}

/** Answers an event once the outbox has it. On the outbox's tab, because Complete nodes see only their own. */
function kept(): FlowNode[] {
  const here = placing('tg', 1000);
  const toSomebody = { t: 'nnull' };
  return [
    here({ id: 'ch-kept', type: 'complete', scope: ['tg-outbox'], uncaught: false, wires: [['ch-asked']] }),
    here({
      id: 'ch-asked',
      type: 'switch',
      property: 'res',
      propertyType: 'msg',
      rules: [toSomebody],
      outputs: 1,
      wires: [['ch-kept-answer']],
    }),
    here({ id: 'ch-kept-answer', type: 'http response', statusCode: '200', wires: [] }),
  ];
}

function tab(effects: string): FlowNode[] {
  const here = placing('ch', 40);
  return [
    { id: 'ch', type: 'tab', label: 'Chaos' },
    here({ id: 'ch-out', type: 'link out', mode: 'link', links: ['tg-in'], wires: [] }),
    ...doors(here),
    ...commands(here, effects),
    here({ id: 'ch-catch', type: 'catch', scope: null, uncaught: false, wires: [['ch-catch-say']] }),
    here({ ...SAY, id: 'ch-catch-say', text: 'done.fail', textType: 'key', wires: [['ch-out']] }),
  ];
}

function doors(here: Place): FlowNode[] {
  return [
    here({ id: 'ch-event', type: 'http in', method: 'post', url: '/chaos/event', wires: [['ch-event-say']] }),
    here({
      ...SAY,
      id: 'ch-event-say',
      kind: 'alert',
      text: 'event #{{ payload.n }}',
      to: 'admins',
      wires: [['ch-out']],
    }),
    here({ id: 'ch-sample', type: 'http in', method: 'post', url: '/chaos/sample', wires: [['ch-alert']] }),
    here({
      id: 'ch-alert',
      type: 'potion-alert',
      property: 'payload.value',
      code: 'probe',
      operator: 'above',
      threshold: String(ALARM),
      clear: '',
      values: '',
      for: 0,
      keepFiring: 0,
      repeat: 0,
      missing: 'keep',
      missingAfter: 0,
      severity: 'warning',
      unit: '',
      label: '',
      version: 1,
      wires: [['ch-alert-apart'], []],
    }),
    // The sample is answered by now, and the outbox must not answer it again. The number belongs into the first
    // line, which is what a digest keeps.
    here({
      id: 'ch-alert-apart',
      type: 'change',
      rules: ['req', 'res', 'say.text'].map((p) => ({ t: 'delete', p, pt: 'msg' })),
      wires: [['ch-alert-say']],
    }),
    here({ ...SAY, id: 'ch-alert-say', text: ALARM_TEXT, to: 'admins', wires: [['ch-out']] }),
    here({ id: 'ch-judged', type: 'complete', scope: ['ch-alert'], uncaught: false, wires: [['ch-answer']] }),
    here({ id: 'ch-answer', type: 'http response', statusCode: '200', wires: [] }),
  ];
}

/** `/act` changes something, `/sure` does so after a question, `/peek` only reads. Each takes its time, before and after its effect. */
function commands(here: Place, effects: string): FlowNode[] {
  const command = {
    type: 'potion-command',
    args: '<n>',
    description: '',
    order: 50,
    hidden: true,
    version: 1,
  };
  return [
    here({ ...command, id: 'ch-act', command: 'act', changes: true, wires: [['ch-act-slowly']] }),
    here({ ...SLOWLY, id: 'ch-act-slowly', wires: [['ch-effect']] }),
    here({ ...command, id: 'ch-sure', command: 'sure', changes: true, wires: [['ch-confirm']] }),
    here({
      id: 'ch-confirm',
      type: 'potion-confirm',
      action: 'run sure #{{ payload.n }}',
      ttl: 900,
      version: 1,
      wires: [['ch-sure-slowly'], ['ch-ask']],
    }),
    here({ ...SAY, id: 'ch-ask', textType: 'key', wires: [['ch-out']] }),
    here({ ...SLOWLY, id: 'ch-sure-slowly', wires: [['ch-effect']] }),
    here({
      id: 'ch-effect',
      type: 'change',
      rules: [
        { t: 'set', p: 'payload', pt: 'msg', to: 'request.command & " #" & request.args[0]', tot: 'jsonata' },
      ],
      wires: [['ch-do']],
    }),
    here({
      id: 'ch-do',
      type: 'file',
      filename: effects,
      filenameType: 'str',
      appendNewline: true,
      createDir: false,
      overwriteFile: 'false',
      encoding: 'none',
      wires: [['ch-did-slowly']],
    }),
    here({ ...SLOWLY, id: 'ch-did-slowly', wires: [['ch-done']] }),
    here({ ...SAY, id: 'ch-done', text: '{{ payload }} done', wires: [['ch-out']] }),
    here({ ...command, id: 'ch-peek', command: 'peek', changes: false, wires: [['ch-peek-slowly']] }),
    here({ ...SLOWLY, id: 'ch-peek-slowly', wires: [['ch-peeked']] }),
    here({ ...SAY, id: 'ch-peeked', text: 'peek #{{ payload.n }} done', wires: [['ch-out']] }),
  ];
}

const SLOWLY = {
  type: 'delay',
  pauseType: 'random',
  randomFirst: '0',
  randomLast: '600',
  randomUnits: 'milliseconds',
  timeout: '1',
  timeoutUnits: 'seconds',
  rate: '1',
  nbRateUnits: '1',
  rateUnits: 'second',
  drop: false,
  allowrate: false,
  outputs: 1,
};

type Place = (node: {
  id: string;
  type: string;
  wires?: string[][];
  [property: string]: unknown;
}) => FlowNode;

/** Places nodes one below the other: without a place they would count as config nodes. */
function placing(z: string, left: number): Place {
  let y = 40;
  return (node) => {
    y += 40;
    return { z, name: '', x: left, y, ...node };
  };
}

import type { Concern } from './concerns.js';

/** Where a person can do something about a concern: a command line, and the name of its command. */
export interface Remedy {
  /** What the button is about: a unit or a code. */
  name: string;
  kind: 'service' | 'processes';
  line: string;
}

/** As many fit below a message without pushing it off a phone's screen. */
const MOST = 6;

/** What can be pressed to get to the bottom of the concerns: one for each place to go, in their order. */
export function remediesOf(concerns: readonly Concern[], exists: (command: string) => boolean): Remedy[] {
  const all = new Map<string, Remedy>();
  for (const concern of concerns) {
    const remedy = remedyOf(concern);
    if (remedy && exists(commandOf(remedy))) all.set(remedy.line, remedy);
  }
  return [...all.values()].slice(0, MOST);
}

function commandOf({ line }: Remedy): string {
  return line.slice(1).split(' ')[0] as string;
}

function remedyOf({ kind, name }: Concern): Remedy | undefined {
  const [family = '', ...rest] = kind === 'alert' ? name.split(':') : [];
  const unit = kind === 'service' ? name : family === 'service' ? rest.join(':') : '';
  if (unit) return { name: unit, kind: 'service', line: `/services ${unit}` };
  if (family === 'cpu' || family === 'load') return { name, kind: 'processes', line: '/top cpu' };
  if (family === 'memory' || family === 'swap') return { name, kind: 'processes', line: '/top ram' };
  return undefined;
}

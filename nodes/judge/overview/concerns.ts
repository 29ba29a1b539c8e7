import type { UnitState } from '../../host/unit-state.js';
import type { Incident } from '../../kit/messages.js';
import { isSilenced, type Silence } from '../../state/alerts.js';

/** How the machine is, as a whole. */
export type Level = 'ok' | 'warning' | 'critical';

/** One thing that a person should know about. */
export interface Concern {
  level: Exclude<Level, 'ok'>;
  /**
   * service    a unit has failed, restarts in circles, or is not there although it is watched
   * alert      an alert rings
   * disk       a disk is not mounted, or does not answer
   * systemd    how the services are can't be found out
   * reading    something can't be measured
   * backlog    messages wait to be delivered
   */
  kind: 'service' | 'alert' | 'disk' | 'systemd' | 'reading' | 'backlog';
  /** Unit, code of the alert, mount point or reading; '' for what there is only one of. */
  name: string;
  /** Condition of the unit; why a disk or reading is missing. */
  detail?: string;
  /** Epoch ms since when, where that is known. */
  since?: number;
  /** Nobody is told of this alert at the moment. */
  silenced?: boolean;
}

/** What is known of the machine. */
export interface Facts {
  /** Epoch ms. */
  now: number;
  /** Readings that are absent, and why: see the metrics node. */
  missing: Readonly<Record<string, string>>;
  /** Absent: nobody has asked; null: systemd can't be asked. */
  services?: readonly UnitState[] | null;
  /** Alerts that ring, told of or not. */
  firing: readonly Incident[];
  silences: readonly Silence[];
  backlog: { count: number; oldest?: number };
}

export interface Verdict {
  /** The worst level of all concerns. */
  level: Level;
  /** Worst first; of one level what lasts longest. */
  concerns: Concern[];
}

/** Reasons of a missing reading that nobody can mend, or that mend themselves at the next one. */
const HARMLESS = ['first-sample', 'none'];

/** A message that has waited for so many ms is not just on its way. */
export const LATE = 5 * 60_000;

const RANK: Record<Level, number> = { critical: 2, warning: 1, ok: 0 };
const KINDS: readonly Concern['kind'][] = ['service', 'alert', 'disk', 'systemd', 'reading', 'backlog'];

/** What a person should look at, worst first, and how bad all of it is. */
export function judge(facts: Facts): Verdict {
  const services = ofServices(facts.services);
  // A service that has failed is one trouble, also where an alert watches it.
  const known = new Set(services.map(({ name }) => `service:${name}`));
  const concerns = [
    ...services,
    ...ofAlerts(facts).filter(({ name }) => !known.has(name)),
    ...ofReadings(facts.missing),
    ...ofBacklog(facts),
  ].sort(byUrgency);
  return { level: concerns[0]?.level ?? 'ok', concerns };
}

function byUrgency(a: Concern, b: Concern): number {
  return (
    RANK[b.level] - RANK[a.level] ||
    Number(a.silenced ?? false) - Number(b.silenced ?? false) ||
    (a.since ?? Number.POSITIVE_INFINITY) - (b.since ?? Number.POSITIVE_INFINITY) ||
    KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) ||
    (a.name < b.name ? -1 : Number(a.name > b.name))
  );
}

function ofServices(services: Facts['services']): Concern[] {
  if (services === undefined) return [];
  if (services === null) return [{ level: 'warning', kind: 'systemd', name: '' }];
  return services.flatMap(({ unit, health, condition, since }): Concern[] => {
    const level = health === 'failed' ? 'critical' : isDoubtful(health, condition) ? 'warning' : undefined;
    if (!level) return [];
    return [{ level, kind: 'service', name: unit, detail: condition, ...(since > 0 ? { since } : {}) }];
  });
}

function isDoubtful(health: UnitState['health'], condition: UnitState['condition']): boolean {
  return health === 'missing' || condition === 'auto-restart';
}

function ofAlerts({ firing, silences }: Facts): Concern[] {
  return firing.flatMap(({ code, severity, since }): Concern[] => {
    if (severity === 'info') return [];
    const silenced = isSilenced(code, silences);
    // Whoever has silenced it knows of it: worth a look, no longer an emergency.
    const level = silenced ? 'warning' : severity;
    return [{ level, kind: 'alert', name: code, since, ...(silenced ? { silenced } : {}) }];
  });
}

function ofReadings(missing: Facts['missing']): Concern[] {
  return Object.entries(missing)
    .filter(([, why]) => !HARMLESS.includes(why))
    .map(([name, detail]) =>
      name.startsWith('disk:')
        ? { level: 'warning', kind: 'disk', name: name.slice('disk:'.length), detail }
        : { level: 'warning', kind: 'reading', name, detail },
    );
}

function ofBacklog({ backlog: { oldest }, now }: Facts): Concern[] {
  if (oldest === undefined || now - oldest < LATE) return [];
  return [{ level: 'warning', kind: 'backlog', name: '', since: oldest }];
}

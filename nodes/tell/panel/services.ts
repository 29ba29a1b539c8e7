import type { JournalLine } from '../../host/journalctl.js';
import type { UnitState } from '../../host/systemd.js';
import { countHealth } from '../../host/unit-state.js';
import type { Failure } from '../../kit/errors.js';
import type { Button, Say } from '../../kit/messages.js';
import { pageButtons, pageOf, rowsOf } from '../../kit/pager.js';

/** A text in the reader's language, plain. */
export type T = (key: string, data?: object) => string;

/** Services on a page. */
const PER_PAGE = 12;
/** Characters of the log, and of one of its lines, that leave room for the rest of a message. */
const LONGEST_LOG = 2400;
const LONGEST_LINE = 180;
/** Lines that the log button asks for. */
const LOG_LINES = 20;

/** All services with their states, each a button to its own panel. */
export function servicesPanel(states: readonly UnitState[], wanted: number, t: T): Say {
  const { items, page, pages } = pageOf(states, wanted, PER_PAGE);
  const units = items.map(({ unit, condition, health }): Button => {
    const label = t('panel.services.unit', { unit, condition, health });
    return { label, command: `/services ${unit}` };
  });
  const refresh = page > 1 ? `/services ${page}` : '/services';
  const buttons = [
    ...rowsOf(units, 2),
    pageButtons({ page, pages }, '/services'),
    [
      { label: t('panel.refresh'), command: refresh },
      { label: t('panel.processes.title'), command: '/top' },
    ],
    [
      { label: t('panel.services.reboot'), command: '/reboot' },
      { label: t('panel.services.shutdown'), command: '/shutdown' },
    ],
  ].filter((row) => row.length > 0);
  return {
    text: 'panel.services.list',
    data: { states: items, page, pages, counts: countHealth(states) },
    buttons,
  };
}

/** What the systemctl node tells of one unit. */
export interface ServiceOutcome {
  unit: string;
  action: string;
  after: UnitState;
  log?: JournalLine[];
  logFailure?: Failure;
}

/** One service: how it is, what was done with it, what it said last, and what can be done now. */
export function servicePanel(
  { unit, action, after, log, logFailure }: ServiceOutcome,
  failed: Failure | undefined,
  now: number,
  t: T,
): Say {
  const told = failed && { message: t(`${failed.text}.message`, failed.data), hint: hintOf(failed, t) };
  return {
    text: 'panel.service.view',
    data: {
      unit,
      action,
      state: after,
      age: after.since > 0 ? Math.max(0, now - after.since) / 1000 : null,
      log: log && shortLog(log),
      logFailure: logFailure && t(`${logFailure.text}.message`, logFailure.data),
      failed: told,
    },
    buttons: [
      changesOf(after).map((change) => ({
        label: t(`panel.service.${change}`),
        command: `/svc ${change} ${unit}`,
      })),
      [
        { label: t('panel.service.log'), command: `/services ${unit} ${LOG_LINES}` },
        { label: t('panel.refresh'), command: `/services ${unit}` },
      ],
      [{ label: t('panel.service.back'), command: '/services' }],
    ].filter((row) => row.length > 0),
    ...(failed ? { outcome: failed.code } : {}),
  };
}

/** What can be done with a unit as it is now. */
export function changesOf({ health, condition, active }: UnitState): ('start' | 'stop' | 'restart')[] {
  if (health === 'missing' || condition === 'masked') return [];
  // A oneshot that has done its work is well, and down.
  if (active === 'inactive' || health === 'failed') return ['start'];
  return condition === 'deactivating' ? ['start'] : ['stop', 'restart'];
}

function hintOf({ text, data }: Failure, t: T): string {
  return t(`${text}.hint`, data);
}

/** The newest lines that fit. */
function shortLog(log: readonly JournalLine[]): Pick<JournalLine, 'at' | 'message'>[] {
  const kept: Pick<JournalLine, 'at' | 'message'>[] = [];
  let length = 0;
  for (const { at, message } of log.toReversed()) {
    const line =
      message.length > LONGEST_LINE ? `${message.slice(0, LONGEST_LINE).toWellFormed()}…` : message;
    length += line.length + 7;
    if (length > LONGEST_LOG) break;
    kept.unshift({ at, message: line });
  }
  return kept;
}

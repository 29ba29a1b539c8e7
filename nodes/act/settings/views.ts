import type { Button, Say, Severity } from '../../kit/messages.js';
import type { QuietHours } from '../../kit/time-of-day.js';
import type { Silence } from '../../state/alerts.js';
import type { Invitation } from '../../state/invitations.js';
import type { Counting, Sourced } from '../../state/live-settings.js';
import type { About } from './about.js';
import { type Bounds, stepped, stepsOf, writeMeasure } from './measure.js';
import type { Metric } from './metrics.js';

/** A text in the reader's language, plain. */
export type T = (key: string, data?: object) => string;

/** An alert that is on, or a unit that was given up. Times in epoch ms. */
export interface Firing {
  code: string;
  phase: 'pending' | 'firing';
  severity: Severity;
  unit: string;
  label: string;
  value?: number | string;
  since: number;
  /** Until when it is silenced, if it is. */
  silencedUntil?: number;
}

/** What the alerts panel shows. */
export interface AlertsFacts {
  alerts: Firing[];
  silences: Silence[];
  /** Codes that are being watched. */
  watched: number;
}

/** A metric with the threshold that counts. */
export type Threshold = Metric & Sourced<number>;

/** At most so many things get buttons of their own. */
const MOST = 8;
const HOUR = 60;

/** An argument as a command line needs it. */
export function argument(text: string): string {
  return /^[^\s"'\\“”„‘’«»]+$/.test(text) ? text : `"${text.replace(/[\\"]/g, '\\$&')}"`;
}

const back = (t: T, to = '/settings'): Button[] => [
  { label: t(to === '/settings' ? 'settings.button.back' : 'settings.button.back-list'), command: to },
];

const inRows = (buttons: Button[], columns: number): Button[][] =>
  Array.from({ length: Math.ceil(buttons.length / columns) }, (_, i) =>
    buttons.slice(i * columns, (i + 1) * columns),
  );

/** The menu, with what counts now. */
export function overviewView(counting: Counting, alerts: AlertsFacts, t: T): Say {
  const to = (name: string, command: string): Button => ({ label: t(`settings.button.${name}`), command });
  return {
    text: 'settings.overview',
    data: {
      ...counting,
      firing: alerts.alerts.filter(({ phase }) => phase === 'firing').length,
      silences: alerts.silences.length,
    },
    buttons: [
      [to('alerts', '/alerts'), to('thresholds', '/thresholds')],
      [to('services', '/settings services'), to('admins', '/admins')],
      [to('language', '/settings language'), to('quiet', '/settings quiet')],
      [to('backup', '/settings backup'), to('about', '/about')],
    ],
  };
}

/** What is on, each with a button that silences it; and what is silenced, each with one that ends that. */
export function alertsView(facts: AlertsFacts, t: T): Say {
  const { alerts, silences } = facts;
  const loud = alerts.filter(({ silencedUntil }) => silencedUntil === undefined).slice(0, MOST);
  const mute = (code: string, minutes: number, key: string): Button => ({
    label: t(`settings.button.${key}`, { code }),
    command: `/alert_disable ${argument(code)} ${minutes}`,
  });
  const isAllSilent = silences.some(({ code }) => code === '*');
  return {
    text: 'settings.alerts',
    data: { ...facts },
    buttons: [
      ...loud.map(({ code }) => [mute(code, HOUR, 'mute'), mute(code, 24 * HOUR, 'mute-day')]),
      ...silences
        .slice(0, MOST)
        .map(({ code }) => [
          { label: t('settings.button.unmute', { code }), command: `/alert_enable ${argument(code)}` },
        ]),
      ...(isAllSilent ? [] : [[mute('*', HOUR, 'mute-all')]]),
      [
        { label: t('settings.button.thresholds'), command: '/thresholds' },
        { label: t('settings.button.refresh'), command: '/alerts' },
      ],
      back(t),
    ],
  };
}

/** All thresholds, each a button to its own panel. */
export function thresholdsView(thresholds: readonly Threshold[], t: T): Say {
  const buttons = thresholds.map(
    ({ code, label }): Button => ({
      label: t('settings.metric', { code, label }),
      command: `/thresholds ${argument(code)}`,
    }),
  );
  return {
    text: 'settings.thresholds',
    data: { thresholds },
    buttons: [...inRows(buttons, 2), back(t)],
  };
}

/** One threshold, and steps to another value; nothing changes before it is saved. */
export function thresholdView(threshold: Threshold, bounds: Bounds, proposed: number | undefined, t: T): Say {
  const { code, unit, value, source } = threshold;
  const now = proposed ?? value;
  const [fine, coarse] = stepsOf(unit);
  const steps = [-coarse, -fine, fine, coarse].flatMap((by): Button[] => {
    const next = stepped(now, by, bounds);
    if (next === now) return [];
    const label = t('settings.button.step', { by, unit });
    return [{ label, command: `/thresholds ${argument(code)} ${writeMeasure(next, unit)}` }];
  });
  const isOther = proposed !== undefined && proposed !== value;
  const set = `/set_threshold ${argument(code)}`;
  return {
    text: 'settings.threshold',
    data: { threshold, bounds, proposed: isOther ? proposed : undefined },
    buttons: [
      steps,
      ...(isOther
        ? [
            [
              {
                label: t('settings.button.save-value', { value: proposed, unit }),
                command: `${set} ${writeMeasure(proposed, unit)}`,
              },
            ],
          ]
        : []),
      ...(source === 'setting' ? [[{ label: t('settings.button.default'), command: `${set} default` }]] : []),
      back(t, '/thresholds'),
    ].filter((row) => row.length > 0),
  };
}

/** The whitelist, each unit with a button that takes it off. */
export function servicesView({ services }: Counting, t: T): Say {
  const buttons = services.slice(0, 30).map(
    ({ value }): Button => ({
      label: t('settings.button.remove', { name: value.replace(/\.service$/, '') }),
      command: `/svc_remove ${argument(value)}`,
    }),
  );
  return {
    text: 'settings.services',
    data: { services },
    buttons: [
      ...inRows(buttons, 2),
      [{ label: t('settings.button.control'), command: '/services' }],
      back(t),
    ],
  };
}

/** @param reader Telegram user id of who reads it */
export function adminsView(
  { admins }: Counting,
  invitations: readonly Invitation[],
  reader: number | undefined,
  t: T,
): Say {
  const removable = admins.length > 1 ? admins.slice(0, 20) : [];
  const buttons = removable.map(
    ({ value }): Button => ({
      label: t('settings.button.remove', { name: value }),
      command: `/admin_remove ${value}`,
    }),
  );
  const open = invitations
    .slice(0, MOST)
    .map(({ user }): Button[] => [
      { label: t('settings.button.withdraw', { id: user }), command: `/admin_remove ${user}` },
    ]);
  return {
    text: 'settings.admins',
    data: { admins, invitations, reader },
    buttons: [...inRows(buttons, 2), ...open, back(t)],
  };
}

export function languageView({ language }: Counting, t: T): Say {
  const choice = (name: string): Button => ({
    label: t(`settings.button.lang-${name}`, { isNow: language.value.startsWith(name) }),
    command: `/lang ${name}`,
  });
  return {
    text: 'settings.language',
    data: { language },
    buttons: [[choice('id'), choice('en')], ...undo(language, '/lang default', t), back(t)],
  };
}

const DAY_MINUTES = 1440;

/** A time of day so many minutes later or earlier. */
export function shifted(time: string, minutes: number): string {
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  const at = (hour * 60 + minute + minutes + DAY_MINUTES) % DAY_MINUTES;
  const two = (value: number) => String(value).padStart(2, '0');
  return `${two(Math.floor(at / 60))}:${two(at % 60)}`;
}

const USUAL: QuietHours = { from: '22:00', to: '06:00' };

/** Quiet hours, with steps for both ends; nothing changes before it is saved. */
export function quietView({ quiet }: Counting, proposed: QuietHours | undefined, t: T): Say {
  const now = proposed ?? quiet.value ?? USUAL;
  const isOther = now.from !== quiet.value?.from || now.to !== quiet.value?.to;
  const step = (end: 'from' | 'to', by: number): Button[] => {
    const next = { ...now, [end]: shifted(now[end], by) };
    if (next.from === next.to) return [];
    const label = t(`settings.button.quiet-${end}`, { hours: by / 60 });
    return [{ label, command: `/settings quiet ${next.from} ${next.to}` }];
  };
  return {
    text: 'settings.quiet',
    data: { quiet, proposed: proposed && isOther ? proposed : undefined },
    buttons: [
      [...step('from', -60), ...step('from', 60)],
      [...step('to', -60), ...step('to', 60)],
      ...(isOther
        ? [[{ label: t('settings.button.save-quiet', now), command: `/quiet ${now.from} ${now.to}` }]]
        : []),
      ...(quiet.value ? [[{ label: t('settings.button.quiet-off'), command: '/quiet off' }]] : []),
      ...undo(quiet, '/quiet default', t),
      back(t),
    ],
  };
}

export function backupView({ backupTime }: Counting, proposed: string | undefined, t: T): Say {
  const now = proposed ?? backupTime.value;
  const steps = [-60, -15, 15, 60].map(
    (by): Button => ({
      label: t('settings.button.minutes', { by }),
      command: `/settings backup ${shifted(now, by)}`,
    }),
  );
  const isOther = now !== backupTime.value;
  return {
    text: 'settings.backup',
    data: { backupTime, proposed: isOther ? proposed : undefined },
    buttons: [
      steps,
      ...(isOther
        ? [[{ label: t('settings.button.save-time', { time: now }), command: `/set_backup ${now}` }]]
        : []),
      ...undo(backupTime, '/set_backup default', t),
      back(t),
    ],
  };
}

export function aboutView(about: About, t: T): Say {
  return {
    text: 'settings.about',
    data: { about },
    buttons: [[{ label: t('settings.button.refresh'), command: '/about' }], back(t)],
  };
}

function undo({ source }: Sourced<unknown>, command: string, t: T): Button[][] {
  return source === 'setting' ? [[{ label: t('settings.button.default'), command }]] : [];
}

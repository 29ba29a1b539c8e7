import type { Button } from '../../kit/messages.js';
import type { Source } from './source.js';

type Words = (key: string) => string;

/** The sources as buttons: the own logs, then the units two in a row. */
export function menuButtons(units: readonly string[], t: Words): Button[][] {
  const own = ['runtime', 'actions', 'kernel'].map((name) => ({
    label: t(`logs.button.${name}`),
    command: `/logs ${name}`,
  }));
  const others = units.map((unit) => ({ label: `🧩 ${nameOf(unit)}`, command: `/logs ${unit}` }));
  return [own.slice(0, 2), own.slice(2), ...pairs(others)];
}

/** What can be done next with a source that is shown; `older` is the place before which more stands. */
export function sourceButtons({ name }: Source, older: string | undefined, t: Words): Button[][] {
  const button = (label: string, command: string): Button => ({ label: t(`logs.button.${label}`), command });
  return [
    [
      ...(older === undefined ? [] : [button('older', `/log_page ${name} ${older}`)]),
      button('newest', `/logs ${name}`),
    ],
    [button('error', `/log_search ${name} error`), button('file', `/log_file ${name}`)],
    [button('live', `/log_follow ${name}`), button('menu', '/logs')],
  ];
}

/** A unit as people call it. */
export function nameOf(unit: string): string {
  return unit.replace(/\.service$/, '');
}

function pairs<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / 2) }, (_, row) => all.slice(row * 2, row * 2 + 2));
}

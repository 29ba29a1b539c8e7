import type { Allowed, Parameter } from './arguments.js';

/** More would be a manual. */
const MOST = 3;

/**
 * Lines that a person could type, one for each form of a command whose arguments speak for themselves. A word
 * that could be anything is not made up: such a command names its examples itself.
 * @param command with its slash
 */
export function examplesOf(
  command: string,
  forms: readonly (readonly Parameter[])[],
  allowed: Allowed,
): string[] {
  const lines = forms.flatMap((form) => {
    const needed = form.filter(({ optional }) => !optional).map((one) => exampleOf(one, allowed));
    const first = form.find(({ optional }) => optional);
    const more = first && exampleOf(first, allowed);
    if (needed.includes(undefined)) return [];
    const least = [command, ...needed].join(' ');
    return more === undefined ? [least] : [least, `${least} ${more}`];
  });
  const all = [...new Set(lines)];
  // The bare command alone teaches nothing.
  return all.length === 1 && all[0] === command ? [] : all.slice(0, MOST);
}

function exampleOf({ name, kind, fallback }: Parameter, allowed: Allowed): string | undefined {
  switch (kind.type) {
    case 'choice':
      return kind.of.find((word) => word !== fallback);
    case 'unit':
      return (allowed.units[0] ?? 'nginx.service').replace(/\.service$/, '');
    case 'integer':
      return String(name === 'page' ? 2 : numberIn(kind.min, kind.max));
    default:
      return undefined;
  }
}

/** A number that looks like one of those that are meant: small for a count, large for an id. */
function numberIn(min: number, max: number): number {
  const usual = max > 100_000 ? 1234 : 20;
  return Math.min(max, Math.max(min, usual));
}

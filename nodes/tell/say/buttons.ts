import { PotionError } from '../../kit/errors.js';
import type { Language } from '../../kit/locale.js';
import type { Button, Draft } from '../../kit/messages.js';
import { cut } from '../../kit/telegram-html.js';
import { short } from './wording.js';

/**
 * One button for each element of a list, e.g. `{"each": "payload.units", "columns": 2, "button": {"label":
 * "{{ item.name }}", "command": "/svc {{ item.name }}"}}`.
 */
interface Repeated {
  /** Where the list is: `payload.units`. */
  each: string;
  /** Buttons in a row. Default 1. */
  columns?: number;
  button: Button;
}

/** Rows of buttons as they are configured. */
export type ButtonRows = (Button[] | Repeated)[];

/** Telegram shows at most so many. */
const MOST = 100;
const LONGEST_LABEL = 64;

/**
 * Reads the configured rows.
 * @throws PotionError INVALID when they are no JSON or of another form
 */
export function readButtons(json: string): ButtonRows {
  if (!json.trim()) return [];
  let rows: unknown;
  try {
    rows = JSON.parse(json);
  } catch (thrown) {
    throw new PotionError('INVALID', 'say.bad-buttons', {}, thrown);
  }
  const isButton = (
    one: Partial<Record<'label' | 'command' | 'answer' | 'url', unknown>> | undefined | null,
  ) =>
    typeof one?.label === 'string' && [one.command, one.answer, one.url].some((to) => typeof to === 'string');
  const isRow = (row: unknown) =>
    Array.isArray(row)
      ? row.every(isButton)
      : typeof (row as Repeated | null)?.each === 'string' && isButton((row as Repeated).button);
  if (!Array.isArray(rows) || !rows.every(isRow))
    throw new PotionError('INVALID', 'say.bad-buttons', { detail: '[[{"label": "…", "command": "/…"}]]' });
  return rows as ButtonRows;
}

/** The rows for one message: lists repeated, templates filled in. */
export function buttonsFor(rows: ButtonRows, data: object, lang: Language): Button[][] {
  const filled = rows.flatMap((row) =>
    Array.isArray(row)
      ? [row.map((button) => fill(button, data, lang))]
      : repeated(row, data).map((some) => some.map((item) => fill(row.button, { ...data, item }, lang))),
  );
  const before = (row: number) => filled.slice(0, row).reduce((sum, { length }) => sum + length, 0);
  return filled.map((row, i) => row.slice(0, Math.max(0, MOST - before(i)))).filter((row) => row.length > 0);
}

/**
 * Buttons in Telegram's words.
 * @param shorten gives the callback data for a command line, which may be too long for Telegram
 */
export async function inlineOf(
  rows: Button[][],
  shorten: (command: string) => Promise<string>,
): Promise<NonNullable<Draft['inline']>> {
  return Promise.all(
    rows.map((row) =>
      Promise.all(
        row.map(async (button) => {
          const text = cut(button.label, LONGEST_LABEL) || '…';
          if ('url' in button) return { text, url: button.url };
          if ('answer' in button) return { text, callback_data: button.answer };
          return { text, callback_data: await shorten(button.command) };
        }),
      ),
    ),
  );
}

function fill(button: Button, data: object, lang: Language): Button {
  const parts = Object.entries(button).map(([name, source]) => [name, short(String(source), data, lang)]);
  return Object.fromEntries(parts);
}

function repeated({ each, columns = 1 }: Repeated, data: object): unknown[][] {
  const list = each
    .split('.')
    .reduce<unknown>((inside, name) => (inside as Record<string, unknown> | undefined)?.[name], data);
  if (!Array.isArray(list)) return [];
  const width = Math.max(1, Math.min(8, Math.floor(columns)));
  return Array.from({ length: Math.ceil(list.length / width) }, (_, i) =>
    list.slice(i * width, (i + 1) * width),
  );
}

import { stripVTControlCharacters } from 'node:util';
import { cut } from './telegram-html.js';

/** Controls, and signs without a shape of their own: some turn the reading direction or hide what is there. */
const UNSEEN = /[\p{Cc}\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]+/gu;

/**
 * A line of whatever origin, fit to be shown: without colours and other orders to a terminal, controls as a
 * blank, at most `longest` UTF-16 units and then `…`.
 */
export function printableLine(text: string, longest: number): string {
  // Colours may make up most of it; what is far beyond the end need not be looked at.
  const near = cut(text, longest * 4 + 1000);
  const clean = stripVTControlCharacters(near).toWellFormed().replace(UNSEEN, ' ').trimEnd();
  return clean.length <= longest ? clean : `${cut(clean, longest)}…`;
}

import type { Button } from '../../kit/messages.js';

/** A text in the reader's language, plain. */
export type T = (key: string, data?: object) => string;

/** One of this node's buttons. */
export function button(t: T, name: string, command: string, data?: object): Button {
  return { label: t(`update.button.${name}`, data), command };
}

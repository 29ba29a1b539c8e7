import { redact } from '../../../nodes/kit/redact.js';
import type { Conflict } from './conflict.js';
import { describeConflicts } from './texts.js';

/** Line that marks a commit of shipped flows, and says of which version. */
export const SHIPPED_MARK = 'Potion-Shipped: ';

/** How the message of a merge of shipped flows begins. */
export const MERGE_MARK = 'Merge the flows of Potion ';

export function shippedMessage(version: string): string {
  return `Flows as Potion ${version} ships them\n\n${SHIPPED_MARK}${version}\n`;
}

export function editsMessage(when: string): string {
  return `Own flows, ${when}\n`;
}

export function mergeMessage(version: string, conflicts: readonly Conflict[]): string {
  const what = conflicts.length === 0 ? '' : `\n${redact(describeConflicts(conflicts, 'en-US'))}\n`;
  return `${MERGE_MARK}${version}\n${what}`;
}

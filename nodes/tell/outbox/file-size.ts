import { statSync } from 'node:fs';
import type { Draft } from '../../kit/messages.js';

/** Bytes of a draft's file; 0 where there is none, or none any more. */
export function fileSize(file: Draft['file']): number {
  if (!file) return 0;
  if (file.base64 !== undefined) return file.base64.length * 0.75;
  return statSync(file.path ?? '', { throwIfNoEntry: false })?.size ?? 0;
}

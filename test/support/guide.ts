import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HOME } from './node-red.ts';

export const GUIDES = ['ops/README.md', 'ops/README.en.md'] as const;

export function guide(name: (typeof GUIDES)[number]): string {
  return readFileSync(join(HOME, name), 'utf8');
}

/** The commands of a guide's fenced blocks, one for each line. */
export function commandsIn(name: (typeof GUIDES)[number]): string[] {
  return [...guide(name).matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block]) =>
    (block as string).trim().split('\n'),
  );
}

/** The commands of the block that is marked so, to be run by a test. */
export function markedCommands(mark: string): string[] {
  const [, block] =
    new RegExp(`<!-- test: ${mark} -->\\n\`\`\`sh\\n([\\s\\S]*?)\`\`\``).exec(guide('ops/README.en.md')) ??
    [];
  if (!block) throw new Error(`the guide has no block ${mark}`);
  return block.trim().split('\n');
}

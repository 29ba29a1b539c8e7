import { createInterface } from 'node:readline';
import { toPotionError } from '../../../nodes/kit/errors.js';

type Method = (...args: never[]) => unknown;

/**
 * Lets a test outside the machine call these methods: one JSON line each on stdin, `{id, method, args}`, one on
 * stdout in answer, `{id, result}` or `{id, error}`. Ends with its input.
 */
export function serve(methods: Record<string, Method>): void {
  createInterface({ input: process.stdin }).on('line', async (line) => {
    const { id, method, args } = JSON.parse(line) as { id: number; method: string; args: never[] };
    try {
      say({ id, result: (await methods[method]?.(...args)) ?? null });
    } catch (thrown) {
      const { code, message, hint } = toPotionError(thrown);
      say({ id, error: { code, message, hint } });
    }
  });
  process.stdin.on('end', () => process.exit());
}

/** Tells the test of something that happened. */
export function tell(event: object): void {
  say({ event });
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

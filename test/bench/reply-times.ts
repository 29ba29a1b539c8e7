import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RequestRecord, Sandbox } from '../../ops/sandbox/server.js';

/** Milliseconds between two questions, so that the gate does not take the person for a script. */
const PACE = 550;

/**
 * Milliseconds inside Potion, for each of these texts in turn: from the moment at which the Bot API server hands
 * the update over to the one at which the answer has arrived there. The pause between two polls is not part of it.
 */
export async function replyTimes(
  sandbox: Sandbox,
  texts: readonly string[],
  rounds: number,
): Promise<Record<string, number[]>> {
  const times: Record<string, number[]> = Object.fromEntries(texts.map((text) => [text, []]));
  let handed = 0;
  const note = ({ method }: RequestRecord) => {
    if (method === 'getUpdates') handed = performance.now();
  };
  sandbox.on('request', note);
  try {
    for (let round = 0; round < rounds; round++)
      for (const text of texts) {
        const answered = once(sandbox, 'sent', { signal: AbortSignal.timeout(10_000) });
        sandbox.say(text);
        await answered;
        times[text]?.push(performance.now() - handed);
        await sleep(PACE);
      }
  } finally {
    sandbox.off('request', note);
  }
  return times;
}

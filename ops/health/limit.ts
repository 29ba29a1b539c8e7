import { redact } from '../../nodes/kit/redact.js';

/**
 * The result, or what stands for it: after `ms`, or when it fails. What hangs goes on alone and is let go with
 * the process.
 */
export async function within<T>(
  ms: number,
  work: () => Promise<T>,
  otherwise: (why: string) => T,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(otherwise(`no answer within ${ms / 1000} s`)), ms);
  });
  try {
    return await Promise.race([work(), late]);
  } catch (thrown) {
    return otherwise(describe(thrown));
  } finally {
    clearTimeout(timer);
  }
}

/** What went wrong in one line, causes included, without tokens. */
export function describe(thrown: unknown): string {
  const words: string[] = [];
  for (let at: unknown = thrown; at !== undefined && at !== null && words.length < 3; at = causeOf(at)) {
    const { message, code } = at as { message?: unknown; code?: unknown };
    // An error of several addresses has no words of its own.
    words.push(String(message || code || at));
  }
  // That it was a request which failed is known.
  const text = words
    .join(': ')
    .replace(/\s+/g, ' ')
    .replace(/^fetch failed: /, '');
  return redact(text).slice(0, 300).toWellFormed();
}

function causeOf(thrown: unknown): unknown {
  const { cause, errors } = thrown as { cause?: unknown; errors?: unknown };
  return cause ?? (Array.isArray(errors) ? errors[0] : undefined);
}

/** The text of an answer, at most so many bytes of it. */
export async function limited(response: Response, bytes: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let left = bytes;
  for await (const chunk of response.body ?? []) {
    const part = chunk.subarray(0, left);
    text += decoder.decode(part, { stream: true });
    left -= part.length;
    if (left <= 0) break;
  }
  return text;
}

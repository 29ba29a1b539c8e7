import type { IncomingMessage } from 'node:http';
import { ApiError, badRequest } from './telegram.js';

/** Largest file that a bot may upload, https://core.telegram.org/bots/api#sending-files. */
export const UPLOAD_LIMIT = 50 * 1024 * 1024;
/** Room for the other parts of a multipart body beside the file. */
const BODY_LIMIT = UPLOAD_LIMIT + 1024 * 1024;

export interface Upload {
  name: string;
  type: string;
  content: Buffer;
}

type Value = string | number | boolean | object | Upload | null | undefined;

/** The parameters of one call, from wherever they came; each reader says it in Telegram's words when wrong. */
export class Params {
  readonly #values: ReadonlyMap<string, Value>;

  constructor(values: Iterable<[string, Value]>) {
    this.#values = new Map(values);
  }

  has(name: string): boolean {
    const value = this.#values.get(name);
    return value !== undefined && value !== null && value !== '';
  }

  text(name: string): string | undefined {
    const value = this.#values.get(name);
    if (value === undefined || value === null) return undefined;
    if (isUpload(value)) return value.content.toString('utf8');
    return typeof value === 'object' ? JSON.stringify(value) : String(value);
  }

  integer(name: string): number | undefined {
    const text = this.text(name)?.trim();
    return text && /^-?\d{1,16}$/.test(text) ? Number(text) : undefined;
  }

  flag(name: string): boolean {
    return /^(1|true|yes|t|y)$/i.test(this.text(name) ?? '');
  }

  /** An object or array, given as such or as JSON text. */
  json<T>(name: string, what: string): T | undefined {
    if (!this.has(name)) return undefined;
    const value = this.#values.get(name);
    if (typeof value === 'object' && !isUpload(value)) return value as T;
    try {
      return JSON.parse(this.text(name) ?? '');
    } catch {
      throw badRequest(`can't parse ${what} JSON object`);
    }
  }

  /** A file sent along: in this field, or in the one that `attach://<name>` points to. */
  upload(name: string): Upload | undefined {
    const value = this.#values.get(name);
    if (isUpload(value)) return value;
    const attached = typeof value === 'string' && value.startsWith('attach://');
    const other = attached ? this.#values.get(value.slice('attach://'.length)) : undefined;
    return isUpload(other) ? other : undefined;
  }

  /** The same without all others. */
  only(...names: string[]): Params {
    return new Params([...this.#values].filter(([name]) => names.includes(name)));
  }

  /** Everything as plain values, files by name and size, for the log. */
  toJSON(): Record<string, unknown> {
    return Object.fromEntries(
      [...this.#values].map(([name, value]) => [
        name,
        isUpload(value) ? { file: value.name, size: value.content.length } : value,
      ]),
    );
  }
}

function isUpload(value: Value): value is Upload {
  return typeof value === 'object' && value !== null && 'content' in value && Buffer.isBuffer(value.content);
}

/**
 * Reads the parameters of a call: query, and a body that is a web form, JSON or multipart.
 * @throws ApiError 413 for a body that is too large, 400 for one that can't be read
 */
export async function readParams(request: IncomingMessage, query: URLSearchParams): Promise<Params> {
  const type = request.headers['content-type'] ?? '';
  const body = await readBody(request);
  return new Params([...query, ...(body.length > 0 ? await parsed(body, type) : [])]);
}

async function readBody(request: IncomingMessage): Promise<Buffer<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    // The rest is read and thrown away: a client that is still writing would miss the answer.
    if (size <= BODY_LIMIT) chunks.push(chunk);
    else chunks.length = 0;
  }
  if (size > BODY_LIMIT) throw new ApiError(413, 'Request Entity Too Large');
  return Buffer.concat(chunks);
}

async function parsed(body: Buffer<ArrayBuffer>, type: string): Promise<[string, Value][]> {
  if (/^application\/json\b/i.test(type)) return fromJson(body);
  if (/^multipart\/form-data\b/i.test(type)) return fromMultipart(body, type);
  return [...new URLSearchParams(body.toString('utf8'))];
}

function fromJson(body: Buffer): [string, Value][] {
  try {
    const value = JSON.parse(body.toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return Object.entries(value);
  } catch {
    // Said below: for Telegram both are the same fault.
  }
  throw badRequest("can't parse JSON object");
}

async function fromMultipart(body: Buffer<ArrayBuffer>, type: string): Promise<[string, Value][]> {
  const form = await new Response(body, { headers: { 'content-type': type } }).formData().catch(() => {
    throw badRequest("can't parse multipart/form-data");
  });
  const values: [string, Value][] = [];
  for (const [name, value] of form) {
    if (typeof value === 'string') values.push([name, value]);
    else
      values.push([
        name,
        { name: value.name, type: value.type, content: Buffer.from(await value.arrayBuffer()) },
      ]);
  }
  return values;
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Fault, Faults } from './faults.js';
import { methodNamed } from './methods/index.js';
import { readParams } from './request.js';
import { type Answer, ApiError } from './telegram.js';
import type { Webhook } from './webhook.js';
import type { World } from './world.js';

/** One call as the log keeps it. */
export interface RequestRecord {
  /** Epoch ms of its arrival. */
  at: number;
  method: string;
  params: Record<string, unknown>;
  /** HTTP status; undefined while it is under way, and when it was never answered. */
  status?: number;
  /** What was answered in case of a refusal. */
  description?: string;
  /** Milliseconds until the answer. */
  took?: number;
  fault?: Fault['kind'];
}

export interface Service {
  token: string;
  world: World;
  webhook: Webhook;
  faults: Faults;
  requests: RequestRecord[];
  /** Requests kept in the log. */
  kept: number;
  onRequest(record: RequestRecord): void;
}

/** Answers one HTTP request as api.telegram.org does. Never throws. */
export async function serve(
  service: Service,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const url = new URL(request.url ?? '/', 'http://sandbox');
    const [, token, name = ''] = /^\/bot([^/]+)\/(\w+)\/?$/.exec(url.pathname) ?? [];
    if (token !== undefined) await serveMethod(service, request, response, url, token, name);
    else serveFile(service, url.pathname, response);
  } catch (thrown) {
    if (!response.headersSent && !response.destroyed) answer(response, refusal(thrown));
  }
}

async function serveMethod(
  service: Service,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  token: string,
  name: string,
): Promise<void> {
  const { world, webhook, faults } = service;
  const record = remember(service, name);
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const reply = (said: Answer) => {
    const status = answer(response, said);
    Object.assign(record, { status, took: world.now() - record.at });
    if (!said.ok) record.description = said.description;
    service.onRequest(record);
  };
  try {
    checkToken(token, service.token);
    const params = await readParams(request, url.searchParams);
    record.params = params.toJSON();
    const fault = faults.strike(name, params.integer('chat_id'));
    record.fault = fault?.kind;
    if (fault && strikeBefore(fault, service, response)) {
      record.status = response.headersSent ? response.statusCode : undefined;
      return service.onRequest(record);
    }
    const called = methodNamed(name);
    if (!called) throw new ApiError(404, 'Not Found: method not found');
    record.method = called.name;
    const done = await called.method({ world, webhook, params, signal: gone.signal });
    if (fault?.kind === 'cut') {
      response.socket?.destroy();
      return service.onRequest(record);
    }
    reply({ ok: true, ...done });
  } catch (thrown) {
    if (gone.signal.aborted) return service.onRequest(record);
    reply(refusal(thrown));
  }
}

function remember({ requests, world, kept }: Service, method: string): RequestRecord {
  const record = { at: world.now(), method, params: {} };
  requests.push(record);
  if (requests.length > kept) requests.splice(0, requests.length - kept);
  return record;
}

function checkToken(written: string, right: string): void {
  const given = written.replace(/%3a/i, ':');
  if (given === right) return;
  if (/^\d+:[\w-]{30,}$/.test(given)) throw new ApiError(401, 'Unauthorized');
  throw new ApiError(404, 'Not Found');
}

/** @returns whether the request ends here */
function strikeBefore(fault: Fault, { world }: Service, response: ServerResponse): boolean {
  if (fault.kind === 'api') throw fault.error;
  if (fault.kind === 'html') answerHtml(response, fault.status);
  if (fault.kind === 'reset') response.socket?.resetAndDestroy();
  if (fault.kind === 'redeliver') {
    const last = world.updates.lastAcknowledged;
    if (last !== undefined) world.updates.redeliver(last);
  }
  return fault.kind !== 'redeliver' && fault.kind !== 'cut';
}

function serveFile({ token, world }: Service, path: string, response: ServerResponse): void {
  const [, given, file = ''] = /^\/file\/bot([^/]+)\/(.+)$/.exec(path) ?? [];
  if (given === undefined) throw new ApiError(404, 'Not Found');
  checkToken(given, token);
  const stored = world.files.atPath(file);
  if (!stored) throw new ApiError(404, 'Not Found');
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'content-length': stored.content.length,
  });
  response.end(stored.content);
}

function refusal(thrown: unknown): Answer {
  const error =
    thrown instanceof ApiError ? thrown : new ApiError(500, `Internal Server Error: ${String(thrown)}`);
  return {
    ok: false,
    error_code: error.code,
    description: error.message,
    ...(error.parameters ? { parameters: error.parameters } : {}),
  };
}

function answer(response: ServerResponse, said: Answer): number {
  const status = said.ok ? 200 : said.error_code;
  const wait = said.ok ? undefined : said.parameters?.retry_after;
  response.writeHead(status, {
    'content-type': 'application/json',
    ...(wait === undefined ? {} : { 'retry-after': String(wait) }),
  });
  response.end(JSON.stringify(said));
  return status;
}

const REASONS: Record<number, string> = {
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Temporarily Unavailable',
  504: 'Gateway Time-out',
};

/** The page that a proxy puts in place of an answer. */
function answerHtml(response: ServerResponse, status: number): void {
  const title = `${status} ${REASONS[status] ?? 'Error'}`;
  response.writeHead(status, { 'content-type': 'text/html' });
  response.end(
    `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n`,
  );
}

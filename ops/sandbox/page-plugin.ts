import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { NodeAPI } from 'node-red';
import { config, isGuest } from '../../nodes/kit/config.js';
import { describe } from '../../nodes/kit/errors.js';
import { embedded } from './embed.js';
import { follow, hello, type PageEvent, personas } from './page-state.js';
import { UPLOAD_LIMIT } from './request.js';
import type { Sandbox } from './server.js';

const PAGE = join(__dirname, 'chat');
const ROOT = join(__dirname, '..', '..');
/** Milliseconds between signs of life on the event stream, so that a dead connection is noticed. */
const HEARTBEAT = 15_000;

/** The page loads nothing from elsewhere and runs no script but its own. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'";

type StaticResponse = ServerResponse & {
  sendFile(name: string, options: object, done: (error?: Error) => void): void;
};

/**
 * Node-RED plugin: the chat page below the editor's address, `GET /potion/chat`. The page itself is no secret;
 * what is said in the chats needs the editor's login where one is set.
 */
export default function chatPage(RED: NodeAPI): void {
  const { httpAdmin } = RED;
  const mayRead = RED.auth.needsPermission('potion-chat.read');
  const mayWrite = RED.auth.needsPermission('potion-chat.write');

  if (embedded()) {
    const { editorBind, port } = config();
    RED.log.info(
      `No BOT_TOKEN is set, so the chat sandbox stands in for Telegram: http://${editorBind}:${port}/potion/chat`,
    );
  }
  httpAdmin.get('/potion/chat/about', (_request, response) => {
    const { lang, serverName } = config();
    response.json({ embedded: embedded() !== undefined, lang, serverName });
  });
  if (isGuest()) return;
  httpAdmin.get('/potion/chat', (_request, response) => {
    response.setHeader('content-security-policy', POLICY);
    sendStatic(response, PAGE, 'chat.html');
  });
  httpAdmin.get('/potion/chat/readme', (_request, response) => {
    response.setHeader('content-type', 'text/plain; charset=utf-8');
    sendStatic(response, ROOT, 'README.md');
  });
  httpAdmin.get(/^\/potion\/chat\/([a-z-]+\.(?:css|mjs|svg))$/, (request, response) => {
    sendStatic(response, PAGE, String(request.params[0]));
  });
  httpAdmin.get('/potion/chat/events', mayRead, (request, response) =>
    answering(response, (sandbox) => stream(sandbox, request, response)),
  );
  httpAdmin.get('/potion/chat/files/:id', mayRead, (request, response) =>
    answering(response, (sandbox) => sendFile(sandbox, String(request.params.id), response)),
  );
  httpAdmin.post('/potion/chat/say', mayWrite, (request, response) =>
    answering(response, (sandbox) => {
      const { as, text, replyTo } = request.body ?? {};
      if (typeof text !== 'string' || text.trim() === '') throw new Error('text is missing');
      sandbox.say(text, { user: persona(sandbox, as), replyTo: Number(replyTo) || undefined });
      done(response);
    }),
  );
  httpAdmin.post('/potion/chat/press', mayWrite, (request, response) =>
    answering(response, (sandbox) => {
      const { as, message, data } = request.body ?? {};
      const { id } = sandbox.press(Number(message), String(data), { user: persona(sandbox, as) });
      done(response, { id });
    }),
  );
  httpAdmin.post('/potion/chat/files', mayWrite, (request, response) =>
    answering(response, async (sandbox) => {
      const query = new URL(request.url, 'http://page').searchParams;
      const user = persona(sandbox, query.get('as'));
      const content = await bodyOf(request);
      const type = query.get('type') || 'application/octet-stream';
      const photo = /^image\/(png|jpeg|gif)$/.test(type);
      sandbox.sendFile({ name: query.get('name') || 'file', type, content }, { user, photo });
      done(response);
    }),
  );
}

/** A file of the page; browsers ask each time whether it has changed. */
function sendStatic(response: StaticResponse, root: string, name: string): void {
  response.setHeader('cache-control', 'no-cache');
  response.sendFile(name, { root, cacheControl: false }, (error) => {
    if (error && !response.headersSent) response.writeHead(404).end();
  });
}

/** Runs one request of the page; without a sandbox it is told so, and a bad request is answered as such. */
async function answering(
  response: ServerResponse,
  work: (sandbox: Sandbox) => void | Promise<void>,
): Promise<void> {
  const sandbox = embedded();
  try {
    if (sandbox) await work(sandbox);
    else done(response, { message: 'a real bot is set up, so there is no chat sandbox' }, 404);
  } catch (thrown) {
    if (!response.headersSent) done(response, { message: describe(thrown) }, 400);
  }
}

function done(response: ServerResponse, answer: object = {}, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
}

/** The page may play its own people only. */
function persona(sandbox: Sandbox, id: unknown): { id: number; is_bot: boolean; first_name: string } {
  const found = personas(sandbox).find((person) => person.id === Number(id));
  if (!found) throw new Error(`${id} is nobody whom this page plays`);
  return sandbox.world.people.get(found.id) ?? { id: found.id, is_bot: false, first_name: found.name };
}

/** Server-sent events: first what there is, then what happens, until the page goes away. */
function stream(sandbox: Sandbox, request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  const report = (event: PageEvent) => response.write(`data: ${JSON.stringify(event)}\n\n`);
  report(hello(sandbox));
  const stop = follow(sandbox, report);
  const beat = setInterval(() => response.write(': still here\n\n'), HEARTBEAT);
  request.on('close', () => {
    stop();
    clearInterval(beat);
  });
}

function sendFile(sandbox: Sandbox, id: string, response: ServerResponse): void {
  const file = sandbox.world.files.get(id);
  if (!file) {
    done(response, { message: 'this file is not kept any more' }, 404);
    return;
  }
  response.writeHead(200, {
    // Never shown in the page's own origin: the page makes a download or a picture of it.
    'content-type': 'application/octet-stream',
    'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(file.name)}`,
    'x-content-type-options': 'nosniff',
    'content-length': file.content.length,
  });
  response.end(file.content);
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > UPLOAD_LIMIT) throw new Error('the file is larger than 50 MB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

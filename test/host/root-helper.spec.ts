import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HELPER_REASONS, type HelperProgress } from '../../nodes/host/helper-protocol.js';
import { type AskOptions, askHelper, type HelperVerb } from '../../nodes/host/root-helper.js';
import { PotionError } from '../../nodes/kit/errors.js';
import { render } from '../../nodes/kit/locale.js';

describe('asking the root helper', () => {
  let folder = '';
  let path = '';
  let server: Server | undefined;
  const sockets = new Set<Socket>();

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'potion-helper-'));
    path = join(folder, 'socket');
  });
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
    server = undefined;
    rmSync(folder, { recursive: true, force: true });
  });

  /** A helper that answers every request so. */
  const helper = (answer: (socket: Socket, request: string) => void) =>
    new Promise<void>((resolve) => {
      server = createServer((socket) => {
        sockets.add(socket);
        socket.on('error', () => {});
        socket.once('data', (data) => answer(socket, String(data)));
      }).listen(path, resolve);
    });
  const says = (...lines: object[]) =>
    helper((socket) => socket.end(lines.map((line) => `${JSON.stringify(line)}\n`).join('')));
  const ask = (verb: HelperVerb = 'apt.refresh', options: AskOptions = {}) =>
    askHelper(verb, {} as never, { socket: path, ...options });
  const failure = async (verb?: HelperVerb, options?: AskOptions) => {
    const thrown = await ask(verb, options).catch((error: unknown) => error);
    assert.ok(thrown instanceof PotionError, String(thrown));
    return thrown;
  };

  it('sends one line, hands on what comes, and gives the result', async () => {
    let asked = '';
    const list = [
      'Inst bash [5.1] (5.2 Debian:12.5/stable [amd64])',
      'Conf bash (5.2 Debian:12.5/stable [amd64])',
    ];
    await helper((socket, request) => {
      asked = request;
      const answer = [
        ...list.map((out) => ({ out })),
        { err: 'W: something' },
        { progress: { phase: 'download', ratio: 0.5, text: 'half' } },
        { exit: 0 },
      ];
      // In pieces, as a socket may bring them.
      const text = answer.map((line) => `${JSON.stringify(line)}\n`).join('');
      for (let at = 0; at < text.length; at += 7) socket.write(text.slice(at, at + 7));
      socket.end();
    });
    const lines: string[] = [];
    const progress: HelperProgress[] = [];
    const plan = await askHelper(
      'apt.list',
      {},
      {
        socket: path,
        onLine: (line) => lines.push(line),
        onProgress: (told) => progress.push(told),
      },
    );
    assert.equal(asked, '{"verb":"apt.list","args":{}}\n');
    assert.deepEqual(plan.changes, [
      { name: 'bash', from: '5.1', to: '5.2', origin: 'Debian:12.5/stable', security: false },
    ]);
    assert.deepEqual(lines, [...list, 'W: something']);
    assert.deepEqual(progress, [{ phase: 'download', ratio: 0.5, text: 'half' }]);
  });

  it('names the step of the guide where there is no helper', async () => {
    const { code, hint, cause } = await failure();
    assert.equal(code, 'DENIED');
    for (const text of [hint, render('id', `${cause.text}.hint`, cause.data, 'plain')])
      assert.match(
        text,
        /Privileges.*ops\/README\.md.*sudo \/opt\/potion\/current\/ops\/install\/install\.sh --privileges/,
      );
  });

  it('knows every reason that the helper may give, in words of its own', async () => {
    const codes: Record<string, string> = {};
    for (const reason of HELPER_REASONS) {
      await says({ exit: 1, reason, detail: 'a detail' });
      const { code, message, hint } = await failure('apt.upgrade');
      assert.ok(message && hint);
      codes[reason] = code;
      await new Promise((resolve) => server?.close(resolve));
    }
    assert.deepEqual(codes, {
      request: 'INVALID',
      'switched-off': 'DENIED',
      'no-disk': 'NOT_FOUND',
      guarded: 'DENIED',
      'no-process': 'NOT_FOUND',
      'no-program': 'UNAVAILABLE',
      busy: 'BUSY',
      'apt-lock': 'BUSY',
      'dpkg-interrupted': 'FAILED',
      'no-space': 'FAILED',
      'no-network': 'UNAVAILABLE',
      'apt-failed': 'FAILED',
      limit: 'TIMEOUT',
      broken: 'FAILED',
    });
  });

  it('fails in words when the helper is gone, says nonsense or a reason of another version', async () => {
    const cases: [(socket: Socket) => void, string, RegExp][] = [
      [(socket) => socket.destroy(), 'UNAVAILABLE', /without an answer/],
      [(socket) => socket.end('{"out":"x"}\n'), 'FAILED', /gone before/],
      [(socket) => socket.end('hello\n'), 'FAILED', /hello/],
      [(socket) => socket.end('7\n'), 'FAILED', /7/],
      [(socket) => socket.end('{"exit":null,"reason":"new-one","detail":"x"}\n'), 'FAILED', /x/],
    ];
    for (const [answer, expected, text] of cases) {
      await helper(answer);
      const { code, message } = await failure();
      assert.equal(code, expected);
      assert.match(message, text);
      await new Promise((resolve) => server?.close(resolve));
    }
  });

  it('takes what is no JSON of smartctl for a failure', async () => {
    await says({ out: 'Segmentation fault' }, { exit: null });
    assert.match((await failure('smartctl.read')).message, /Segmentation fault/);
  });

  it('ends its wait in time, and when the node closes', async () => {
    await helper(() => {});
    assert.equal((await failure('apt.upgrade', { timeout: 30 })).code, 'TIMEOUT');
    const closing = new AbortController();
    const waiting = failure('apt.upgrade', { signal: closing.signal });
    closing.abort();
    assert.equal((await waiting).code, 'CANCELLED');
    assert.equal((await failure('apt.upgrade', { signal: AbortSignal.abort() })).code, 'CANCELLED');
  });
});

import { type Sandbox, startSandbox } from '../../ops/sandbox/server.js';
import type { Answer } from '../../ops/sandbox/telegram.js';

/** A token of the right shape that belongs to nobody. */
export const TOKEN = `4242:${'S'.repeat(35)}`;

/** A PNG of one red pixel. */
export const DOT = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==',
  'base64',
);

export interface Reply {
  status: number;
  type: string;
  body: Answer & { [key: string]: unknown };
}

/** A sandbox for the tests of one `describe`; it is stopped after each. */
export function freshSandbox(): { readonly sandbox: Sandbox; call: Call } {
  let current: Sandbox | undefined;
  beforeEach(async () => {
    current = await startSandbox({ token: TOKEN });
  });
  afterEach(() => current?.stop());
  const sandbox = () => current as Sandbox;
  return {
    get sandbox() {
      return sandbox();
    },
    call: (method, params) => callBot(sandbox(), method, params),
  };
}

type Call = (method: string, params?: object) => Promise<Reply>;

/** Calls a Bot API method with JSON. */
export async function callBot(sandbox: Sandbox, method: string, params: object = {}): Promise<Reply> {
  return read(
    await fetch(`${sandbox.url}/bot${sandbox.token}/${method}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(params),
    }),
  );
}

export async function read(response: Response): Promise<Reply> {
  const text = await response.text();
  const type = response.headers.get('content-type') ?? '';
  return {
    status: response.status,
    type,
    body: type.includes('json') ? JSON.parse(text) : { ok: false, error_code: 0, description: text },
  };
}

/** The result of a call that must succeed. */
export function resultOf<T>({ body }: Reply): T {
  if (!body.ok) throw new Error(`refused: ${body.description}`);
  return body.result as T;
}

/** What a call that must fail was refused with. */
export function refusalOf({ status, body }: Reply): string {
  if (body.ok) throw new Error(`accepted: ${JSON.stringify(body.result)}`);
  if (status !== body.error_code) throw new Error(`status ${status} but error_code ${body.error_code}`);
  return `${status} ${body.description}`;
}

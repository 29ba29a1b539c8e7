// Runs in a network namespace and asks what it is told to: `process.send` carries both ways.
import { request } from 'node:http';
import { isIPv6 } from 'node:net';

/** A request to Potion. */
export interface Asked {
  /** e.g. `http://100.64.0.1:1880/flows` */
  url: string;
  method?: string;
  headers?: Record<string, string>;
  /** Sent as JSON, by POST. */
  body?: unknown;
  /** Opens a web socket there, says this on it, and hears until the server closes it or something matches. */
  socket?: { say: object[]; until: string };
}

export interface Replied {
  /** 101 when a web socket was opened; 0 when there was no answer. */
  status: number;
  headers: Record<string, string | string[] | undefined>;
  /** What came, of a web socket too. */
  text: string;
  /** The server closed the web socket. */
  closed?: boolean;
}

process.on('message', async ({ id, asked }: { id: number; asked: Asked & { from: string } }) => {
  process.send?.({ id, reply: await ask(asked, () => process.send?.({ id })) });
});

function ask(
  { from, url, method, headers, body, socket }: Asked & { from: string },
  opened: () => void,
): Promise<Replied> {
  const upgrade = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': Buffer.alloc(16).toString('base64'),
  };
  return new Promise((resolve) => {
    const nothing = (error: Error) => resolve({ status: 0, headers: {}, text: error.message });
    const asked = request(
      url,
      {
        localAddress: from,
        family: isIPv6(from) ? 6 : 4,
        agent: false,
        method: method ?? (body === undefined ? 'GET' : 'POST'),
        headers: {
          ...(socket ? upgrade : {}),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        timeout: 10_000,
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (data) => {
          text += data;
        });
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
        );
        response.on('error', nothing);
      },
    );
    asked.on('error', nothing);
    asked.on('timeout', () => asked.destroy(new Error('no answer within 10 s')));
    asked.on('upgrade', (response, connection, head) => {
      let text = head.toString('latin1');
      const done = (closed: boolean) => {
        connection.destroy();
        resolve({ status: 101, headers: response.headers, text, closed });
      };
      const look = () => socket && text.includes(socket.until) && done(false);
      connection.on('data', (data) => {
        text += data.toString('latin1');
        look();
      });
      connection.on('error', () => done(true));
      connection.on('close', () => done(true));
      opened();
      for (const said of socket?.say ?? []) connection.write(frame(JSON.stringify(said)));
      look();
    });
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** A short text frame of a client, masked with zeros. */
function frame(text: string): Buffer {
  const data = Buffer.from(text);
  const length = data.length < 126 ? [0x80 | data.length] : [0x80 | 126, data.length >> 8, data.length & 255];
  return Buffer.concat([Buffer.from([0x81, ...length, 0, 0, 0, 0]), data]);
}

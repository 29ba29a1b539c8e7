import assert from 'node:assert/strict';
import fc from 'fast-check';
import { classify } from '../../nodes/host/telegram-errors.js';

const TOKEN = '1234567890:AAHxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx';

/** As the sender node words it: a frame, the library's error, the whole message as JSON. */
const framed = (error: string, text = 'hello') =>
  `Caught exception in sender node:\r\n${error}\r\nwhen processing message: \r\n${JSON.stringify({ payload: { args: [1, text] } }, null, 4)}`;

const api = (words: string) => framed(`TelegramError: ETELEGRAM: ${words}`);

describe('an error of the sender node', () => {
  const cases: [string, string, string][] = [
    ['flood control', api('429 Too Many Requests: retry after 17'), 'flood'],
    ['flood control as Potion has it told', api('429 Too Many Requests [retry_after 17]'), 'flood'],
    ['a refused connection', framed('FatalError: EFATAL: connect ECONNREFUSED 127.0.0.1:8081'), 'network'],
    ['no network', framed('FatalError: EFATAL: fetch failed'), 'network'],
    ['no name server', framed('FatalError: EFATAL: getaddrinfo EAI_AGAIN api.telegram.org'), 'network'],
    [
      'a request that took too long',
      framed('FatalError: EFATAL: The operation was aborted due to timeout'),
      'network',
    ],
    ['an answer that broke off', framed('TypeError: terminated'), 'network'],
    [
      'a page of a proxy',
      framed('ParseError: EPARSE: Error parsing response: <html><head><title>502 Bad Gateway</title></head>'),
      'server',
    ],
    ['trouble at Telegram', api('500 Internal Server Error'), 'server'],
    [
      'bad markup',
      api(`400 Bad Request: can't parse entities: Unsupported start tag "x" at byte offset 3`),
      'markup',
    ],
    [
      'bad markup in a caption',
      api('400 Bad Request: can\'t parse entities: Can\'t find end tag corresponding to start tag "b"'),
      'markup',
    ],
    [
      'an edit that changes nothing',
      api(
        '400 Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message',
      ),
      'unchanged',
    ],
    ['an edit of what was deleted', api('400 Bad Request: message to edit not found'), 'target-gone'],
    ['an edit of what is too old', api("400 Bad Request: message can't be edited"), 'target-gone'],
    ['an answer to what was deleted', api('400 Bad Request: message to be replied not found'), 'target-gone'],
    ['a chat that does not exist', api('400 Bad Request: chat not found'), 'chat-closed'],
    ['a person who blocked the bot', api('403 Forbidden: bot was blocked by the user'), 'chat-closed'],
    [
      'a person who never wrote',
      api("403 Forbidden: bot can't initiate conversation with a user"),
      'chat-closed',
    ],
    [
      'a group that threw the bot out',
      api('403 Forbidden: bot was kicked from the supergroup chat'),
      'chat-closed',
    ],
    ['a person who is gone', api('403 Forbidden: user is deactivated'), 'chat-closed'],
    ['a group that has moved', api('400 Bad Request: group chat was upgraded to a supergroup chat'), 'moved'],
    ['a wrong token', api('401 Unauthorized'), 'token'],
    ['a token of another form', api('404 Not Found'), 'token'],
    ['a second instance', api('409 Conflict: terminated by other getUpdates request'), 'conflict'],
    ['a text that is too long', api('400 Bad Request: message is too long'), 'refused'],
    ['a bad button', api('400 Bad Request: BUTTON_DATA_INVALID'), 'refused'],
    ['a file that is too large', api('413 Request Entity Too Large'), 'file'],
    ['a file that is gone', framed("Error: ENOENT: no such file or directory, open '/x'"), 'file'],
    ['a file that may not be read', framed("Error: EACCES: permission denied, open '/x'"), 'file'],
    ['something unheard of', framed('Error: surprise'), 'server'],
  ];
  for (const [name, error, kind] of cases) {
    it(`${name}: ${kind}`, () => assert.equal(classify(error).kind, kind));
  }

  it('says how long flood control lasts', () => {
    assert.deepEqual(classify(api('429 Too Many Requests: retry after 35')), {
      kind: 'flood',
      seconds: 35,
      reason: '429 Too Many Requests: retry after 35',
    });
  });

  it('says what a group has become', () => {
    const verdict = classify(
      api(
        '400 Bad Request: group chat was upgraded to a supergroup chat [migrate_to_chat_id -1001234567890]',
      ),
    );
    assert.equal(verdict.kind === 'moved' && verdict.chat, -1001234567890);
  });

  it('never shows a token', () => {
    const { reason } = classify(
      framed(`FatalError: EFATAL: request to http://x/bot${TOKEN}/sendMessage failed`),
    );
    assert.ok(!reason.includes(TOKEN), reason);
  });

  it('means the same whatever the message says', () => {
    const noise = fc.constantFrom(
      'ETELEGRAM: 429 Too Many Requests: retry after 9999',
      'ETELEGRAM: 403 Forbidden: bot was blocked by the user',
      '\r\nwhen processing message: \r\n',
      'EPARSE fetch failed',
    );
    const text = fc.array(fc.oneof(noise, fc.string()), { maxLength: 5 }).map((list) => list.join(' '));
    fc.assert(
      fc.property(text, fc.constantFrom(...cases), (text, [, error, kind]) => {
        const own = error.slice(error.indexOf('\r\n') + 2, error.indexOf('\r\nwhen'));
        assert.equal(classify(framed(own, text)).kind, kind);
      }),
    );
  });

  it('is understood whatever it is', () => {
    fc.assert(
      fc.property(fc.anything(), (error) => {
        const { kind, reason } = classify(error);
        assert.ok(kind !== 'unchanged' && reason.length <= 200);
      }),
    );
  });
});

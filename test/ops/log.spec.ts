import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PotionError } from '../../nodes/kit/errors.js';
import { format, runtimeLog } from '../../ops/runtime/log.js';

const TOKEN = '123456789:AAabcdefghijklmnopqrstuvwxyz0123456';

/** What stands in runtime.log after these messages. */
function logged(messages: unknown[], secrets: string[] = []): string {
  const dir = mkdtempSync(join(tmpdir(), 'potion-log-'));
  const write = process.stdout.write;
  try {
    process.stdout.write = () => true;
    const log = runtimeLog(dir, secrets)();
    for (const msg of messages) log({ level: 40, msg, timestamp: Date.now() });
    return readFileSync(join(dir, 'runtime.log'), 'utf8');
  } finally {
    process.stdout.write = write;
    rmSync(dir, { recursive: true });
  }
}

describe('the runtime log', () => {
  it('has each line in the file at once', () => {
    assert.match(logged(['one', 'two']), /^\S+ \S+ info one\n\S+ \S+ info two\n$/);
  });

  it('never holds a bot token, wherever it stands', () => {
    const text = logged([
      `GET https://api.telegram.org/bot${TOKEN}/getMe failed`,
      new Error(`token ${TOKEN}`),
      { message: TOKEN },
    ]);
    assert.doesNotMatch(text, /AAabc/);
    assert.match(text, /<token>/);
  });

  it('never holds another secret of .env', () => {
    assert.doesNotMatch(
      logged(['ping https://hc.example/abc-def'], ['https://hc.example/abc-def']),
      /abc-def/,
    );
  });

  it('says which node speaks, and an expected failure without a stack but with what to do', () => {
    const error = new PotionError('UNAVAILABLE', 'errors.program-missing', { program: 'rsync' });
    const line = format({ level: 20, msg: error, type: 'potion-x', name: 'my x', timestamp: 0 });
    assert.match(line, /error \[potion-x:my x\] the program rsync is not installed → Install it with apt.*$/);
  });

  it('tells a failure once, though both its node and Node-RED log it', () => {
    const error = new PotionError('UNAVAILABLE', 'errors.program-missing', { program: 'rsync' });
    assert.equal(logged([error, error]).trim().split('\n').length, 1);
  });

  it('goes on without the file when the folder cannot be written', () => {
    const write = process.stdout.write;
    const complain = process.stderr.write;
    let out = '';
    process.stdout.write = (text: string | Uint8Array) => {
      out += text;
      return true;
    };
    process.stderr.write = () => true;
    try {
      runtimeLog('/dev/null/nowhere', [])()({ level: 40, msg: 'still here', timestamp: 0 });
    } finally {
      process.stdout.write = write;
      process.stderr.write = complain;
    }
    assert.match(out, /still here/);
  });
});

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { readFolder } from '../../ops/runtime/flows/folder.js';
import { parseFiles } from '../../ops/runtime/flows/parse.js';
import { FlowsError } from '../../ops/runtime/flows/problem.js';
import { syntaxFault } from '../../ops/runtime/flows/syntax.js';

const TOKEN = '1234567:AAFakeFakeFakeFakeFakeFakeFakeFakeFake';
const TAB = '{ "id": "t", "type": "tab", "label": "T" }';

/** Files, and the place and words of what is wrong with them. */
const BROKEN: Record<string, { files: Record<string, string>; at: string; what: RegExp }> = {
  'a comma too many': {
    files: { 't.json': `[\n  ${TAB},\n]\n` },
    at: 't.json:3:1',
    what: /not JSON: no "," may stand before "\]"/,
  },
  'a comma too few': {
    files: { 't.json': `[\n  ${TAB}\n  ${TAB}\n]\n` },
    at: 't.json:3:3',
    what: /"," or "\]" is expected, but here is "\{"/,
  },
  'a bare word': {
    files: { 't.json': '[\n  { "id": t }\n]' },
    at: 't.json:2:11',
    what: /a value is expected, but here is "t"/,
  },
  'a file that was cut off': {
    files: { 't.json': `[\n  ${TAB},\n  { "id": "a"` },
    at: 't.json:3:3',
    what: /the \{ is never closed/,
  },
  'an empty file': { files: { 't.json': '' }, at: 't.json:1:1', what: /the file ends here/ },
  'a merge conflict': {
    files: { 't.json': `[\n<<<<<<< HEAD\n  ${TAB}\n=======\n>>>>>>> other\n]\n` },
    at: 't.json:2:1',
    what: /merge conflict/,
  },
  'a merge conflict in the order': {
    files: { 't.json': `[${TAB}]`, 'order.txt': '# order\n<<<<<<< HEAD\nt.json\n=======\n>>>>>>> x\n' },
    at: 'order.txt:2:1',
    what: /merge conflict/,
  },
  'one tab in two files': {
    files: { 'a.json': `[\n  ${TAB}\n]`, 'b.json': `[\n  ${TAB}\n]` },
    at: 'b.json:2:5',
    what: /a second node has the id t/,
  },
  'one node id in two tabs': {
    files: {
      'a.json': `[${TAB},\n{ "id": "n", "type": "debug", "z": "t" }]`,
      'b.json': '[{ "id": "u", "type": "tab" },\n{ "type": "debug", "id": "n", "z": "u" }]',
    },
    at: 'b.json:2:20',
    what: /a second node has the id n/,
  },
  'a node without an id': {
    files: { 't.json': `[\n  ${TAB},\n  { "type": "debug", "z": "t" }\n]` },
    at: 't.json:3:3',
    what: /it needs an "id" and a "type"/,
  },
  'a node without a type': {
    files: { 't.json': `[\n  ${TAB},\n  { "id": "n", "z": "t" }\n]` },
    at: 't.json:3:3',
    what: /it needs an "id" and a "type"/,
  },
  'something else than a node': { files: { 't.json': `[${TAB}, 7]` }, at: 't.json:1:46', what: /not a node/ },
  'something else than a list': { files: { 't.json': TAB }, at: 't.json:1:1', what: /a list of nodes/ },
  'a tab that is missing': {
    files: { 't.json': '[\n  { "id": "n", "type": "debug", "z": "t" }\n]' },
    at: 't.json:1:1',
    what: /tab \(or subflow\) .* is missing/,
  },
  'a whole export in place of a tab': {
    files: { 't.json': `[\n  ${TAB},\n  { "id": "u", "type": "tab" }\n]` },
    at: 't.json:3:3',
    what: /a second tab/,
  },
  'a node of another tab': {
    files: { 't.json': `[\n  ${TAB},\n  { "id": "n", "type": "debug", "z": "u" }\n]` },
    at: 't.json:3:33',
    what: /belongs to another tab/,
  },
  'a node of a tab among the shared ones': {
    files: { 't.json': `[${TAB}]`, 'config.json': '[{ "id": "n", "type": "debug", "z": "t" }]' },
    at: 'config.json:1:32',
    what: /belongs to a tab/,
  },
  'a file that the order names and nobody has': {
    files: { 't.json': `[${TAB}]`, 'order.txt': '# order\nt.json\ngone.json\n' },
    at: 'order.txt:3:1',
    what: /no file gone\.json/,
  },
  'a file that the order names twice': {
    files: { 't.json': `[${TAB}]`, 'order.txt': 't.json\nt.json\n' },
    at: 'order.txt:2:1',
    what: /twice/,
  },
  'a bot token in a node': {
    files: {
      't.json': `[${TAB},\n{ "id": "n", "type": "http request", "z": "t",\n  "url": "https://x/bot${TOKEN}/getMe" }]`,
    },
    at: 't.json:3:3',
    what: /bot token in its field “url”/,
  },
  'a bot token deep inside a node': {
    files: {
      't.json': `[${TAB},\n{ "id": "n", "type": "change", "z": "t", "rules": [{ "to": "${TOKEN}" }] }]`,
    },
    at: 't.json:2:42',
    what: /bot token in its field “rules”/,
  },
  'credentials inside of a node': {
    files: { 't.json': `[${TAB},\n{ "id": "n", "type": "debug", "z": "t", "credentials": { "a": "b" } }]` },
    at: 't.json:2:41',
    what: /carries its credentials/,
  },
  'a secret among the credentials': {
    files: {
      'config.json': '[{ "id": "b", "type": "telegram bot" }]',
      'credentials.json': `{\n  "b": { "user": "\${USER}", "token": "hunter2" }\n}`,
    },
    at: 'credentials.json:2:29',
    what: /telegram bot node b would store a secret in its field “token”/,
  },
  'credentials that are no object': {
    files: { 'credentials.json': '[]' },
    at: 'credentials.json:1:1',
    what: /must be an object/,
  },
};

function problemsOf(files: Record<string, string>) {
  try {
    parseFiles(new Map(Object.entries(files)));
  } catch (thrown) {
    assert.ok(thrown instanceof FlowsError, String(thrown));
    return thrown;
  }
  assert.fail('these files were taken for good');
}

describe('broken flow files are refused, with file, line and column:', () => {
  for (const [name, { files, at, what }] of Object.entries(BROKEN))
    it(name, () => {
      const refusal = problemsOf(files);
      const [first] = refusal.problems;
      assert.equal([first?.file, first?.line, first?.column].join(':'), at);
      assert.match(first?.what ?? '', what);
      assert.notEqual(first?.hint, '');
      assert.ok(refusal.message.includes(`${at}: `), refusal.message);
    });

  it('every one of them at once, not only the first', () => {
    const { problems } = problemsOf({ 'a.json': '[', 'b.json': '{', 'c.json': `[${TAB}]` });
    assert.deepEqual(
      problems.map(({ file }) => file),
      ['a.json', 'b.json'],
    );
  });

  it('without repeating the secret that it found', () => {
    const { message } = problemsOf({
      't.json': `[${TAB},{ "id": "n", "type": "x", "z": "t", "name": "${TOKEN}" }]`,
    });
    assert.ok(!message.includes(TOKEN), message);
  });

  it('whatever the text: what JSON.parse refuses has a place, what it takes has none', () => {
    const valid = fc.json().map((text) => ({ text, edit: '' }));
    const edited = fc
      .record({
        text: fc.json(),
        at: fc.nat(),
        edit: fc.constantFrom(',', '}', ']', '"', '\\', 'x', ':', '\n', '0'),
      })
      .map(({ text, at, edit }) => {
        const place = at % (text.length + 1);
        return { text: text.slice(0, place) + edit + text.slice(place), edit };
      });
    fc.assert(
      fc.property(fc.oneof(valid, edited), ({ text }) => {
        const fault = syntaxFault(text);
        const refused = (() => {
          try {
            JSON.parse(text);
            return false;
          } catch {
            return true;
          }
        })();
        assert.equal(fault !== undefined, refused, text);
        if (fault) assert.ok(fault.offset >= 0 && fault.offset <= text.length);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a flows folder', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'potion-flows-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it('may hold other files, which are left alone', async () => {
    writeFileSync(join(dir, 'README.md'), 'x');
    writeFileSync(join(dir, '.hidden.json'), 'x');
    writeFileSync(join(dir, 't.json'), `\uFEFF[${TAB}]`);
    assert.deepEqual([...((await readFolder(dir)) ?? [])], [['t.json', `[${TAB}]`]]);
  });

  it('may not hold a link, which could lead out of it', async () => {
    symlinkSync('/etc/hostname', join(dir, 'out.json'));
    await assert.rejects(readFolder(dir), /out\.json: this is a symbolic link/);
  });

  it('may not hold a folder named like a flow file, nor text in another encoding', async () => {
    mkdirSync(join(dir, 'a.json'));
    writeFileSync(join(dir, 'b.json'), Buffer.from([0x5b, 0xff, 0x5d]));
    await assert.rejects(
      readFolder(dir),
      /a\.json: this is not a file[\s\S]*b\.json: this is not UTF-8 text/,
    );
  });
});

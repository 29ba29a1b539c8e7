import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { freshEnv, readEnv, writeEnv } from '../../ops/install/env-file.mjs';

const line = fc
  .string({ unit: 'binary' })
  .filter((text) => !/[\p{Cc}\u2028\u2029]/u.test(text) && text === text.trim());

describe('potion.env', () => {
  it('gives back what was written into it', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('A', 'B_1', 'SERVER_NAME'), line), (values) => {
        assert.deepEqual(readEnv(writeEnv('# head\nA=old\n', values)), { A: 'old', ...values });
      }),
    );
  });

  it('keeps comments, order and what it does not know', () => {
    const text = '# mine\nFOO=bar\n\n; note\nBOT_TOKEN=1:old\n  ODD = "a b"\nnonsense\n';
    assert.equal(
      writeEnv(text, { BOT_TOKEN: '1:new', FOO: 'bar' }),
      '# mine\nFOO=bar\n\n; note\nBOT_TOKEN=1:new\n  ODD = "a b"\nnonsense\n',
    );
  });

  it('changes the last of two lines with one name, which is the one that counts', () => {
    assert.equal(writeEnv('A=1\nA=2\n', { A: '3' }), 'A=1\nA=3\n');
    assert.deepEqual(readEnv('A=1\nA=2\n'), { A: '2' });
  });

  it('puts a new setting behind its example, else at the end', () => {
    assert.equal(
      writeEnv('# ADMIN_IDS="1"\n# end\n', { ADMIN_IDS: '5' }),
      '# ADMIN_IDS="1"\nADMIN_IDS=5\n# end\n',
    );
    assert.equal(writeEnv('# end\n', { ADMIN_IDS: '5' }), '# end\nADMIN_IDS=5\n');
  });

  it('replaces all of a value that goes over several lines', () => {
    assert.equal(writeEnv('A=1 \\\n2\nB=3\n', { A: '4' }), 'A=4\nB=3\n');
  });

  it('has no place for a line break', () => {
    assert.throws(() => writeEnv('', { A: 'x\nB=y' }), /A: a value stands on one line/);
  });

  it('begins with every setting of .env.example but the folders that the unit sets', () => {
    const example = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8');
    const names = (text: string) => [...text.matchAll(/^# ([A-Z_]+)=/gm)].map(([, name]) => name);
    const fresh = freshEnv(example, ['Head', 'of it']);
    assert.match(fresh, /^# Head\n# of it\n\n# --- /);
    const folders = ['DATA_DIR', 'LOG_DIR', 'FLOWS_DIR'];
    assert.deepEqual(
      names(fresh),
      names(example).filter((name) => !folders.includes(name ?? '')),
    );
    assert.doesNotMatch(fresh, /runtime\.log and actions\.log/, 'an explanation goes with its setting');
    assert.deepEqual(readEnv(fresh), {});
  });
});

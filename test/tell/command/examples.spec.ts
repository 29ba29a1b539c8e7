import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseForms, readForms } from '../../../nodes/tell/command/arguments.js';
import { examplesOf } from '../../../nodes/tell/command/examples.js';

const allowed = { units: ['web.service'] };
const examples = (pattern: string) => examplesOf('/x', parseForms(pattern), allowed);

describe('examples of a command', () => {
  it('are made from its pattern, one for each form', () => {
    assert.deepEqual(examples('<start|stop> <unit> | [unit]'), ['/x start web', '/x', '/x web']);
    assert.deepEqual(examples('[view:summary|detail=summary]'), ['/x', '/x detail']);
    assert.deepEqual(examples('[by:cpu|ram] [page:1..999] | <page:1..999>'), ['/x', '/x cpu', '/x 2']);
    assert.deepEqual(examples('<pid:1..4194304>'), ['/x 1234']);
  });

  it('are none where there is nothing to show, or a word would have to be made up', () => {
    for (const pattern of ['', '-', '<host>', '[host]', '<what:rest>', '<unit> <what:rest>'])
      assert.deepEqual(examples(pattern), [], pattern);
  });

  it('name a unit also while none is watched', () => {
    assert.deepEqual(examplesOf('/x', parseForms('<unit>'), { units: [] }), ['/x nginx']);
  });

  it('are always taken by the command itself', () => {
    const part = fc.constantFrom(
      'start|stop',
      'unit',
      'n:1..9',
      'pid:1..4194304',
      'n:50..60',
      'n:int',
      'm:a|b=b',
    );
    const form = fc.record({ needed: fc.uniqueArray(part, { maxLength: 2 }), more: fc.option(part) });
    fc.assert(
      fc.property(fc.array(form, { minLength: 1, maxLength: 3 }), (forms) => {
        const pattern = forms
          .map(({ needed, more }) =>
            [
              ...needed.filter((one) => !one.includes('=')).map((one) => `<${one}>`),
              more ? `[${more}]` : '',
            ].join(' '),
          )
          .filter((one) => one.trim())
          .join(' | ');
        let parsed: ReturnType<typeof parseForms>;
        try {
          parsed = parseForms(pattern);
        } catch {
          return; // two arguments of one name
        }
        for (const line of examplesOf('/x', parsed, allowed))
          assert.doesNotThrow(() => readForms('x', parsed, line.split(' ').slice(1), allowed), line);
      }),
    );
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { classify, type Verdict } from '../../../nodes/host/telegram-errors.js';
import { type Attempt, backoff, type Form, nextStep } from '../../../nodes/tell/outbox/next-step.js';

const first: Attempt = { form: {}, tries: 0, refers: false, isPhoto: false, random: 0.5 };
const verdict = (kind: Verdict['kind']) => ({ kind, seconds: 7, chat: undefined, reason: '' }) as Verdict;

describe('after a failed attempt', () => {
  it('flood control stops the whole bot for as long as it asks, and is no failure of the message', () => {
    assert.deepEqual(nextStep(verdict('flood'), { ...first, random: 0 }), {
      do: 'wait',
      ms: 7000,
      whole: true,
      counts: false,
    });
  });

  it('an unreachable Telegram is tried again, later each time, at least once a minute, without end', () => {
    const waits = [0, 1, 2, 5, 8, 1000].map((tries) => backoff(tries, 0.999999));
    assert.deepEqual(waits, [1000, 2000, 4000, 32_000, 60_000, 60_000]);
    assert.equal(backoff(0, 0), 500);
    for (const kind of ['network', 'server'] as const)
      assert.equal(nextStep(verdict(kind), { ...first, tries: 1e6 }).do, 'wait');
  });

  it('refused markup goes as plain text, then as bare text, and only then is given up', () => {
    const forms: Form[] = [];
    let form: Form = {};
    for (;;) {
      const step = nextStep(verdict('markup'), { ...first, form });
      if (step.do !== 'again') {
        assert.equal(step.do, 'give-up');
        break;
      }
      form = step.form;
      forms.push(form);
    }
    assert.deepEqual(forms, [{ plain: true }, { plain: true, bare: true }]);
  });

  it('a message that is gone is not edited but sent anew', () => {
    const step = nextStep(verdict('target-gone'), { ...first, refers: true });
    assert.deepEqual(step, { do: 'again', form: { anew: true } });
  });

  it('an edit that changes nothing has arrived', () => {
    assert.deepEqual(nextStep(verdict('unchanged'), first), { do: 'accept' });
  });

  it('a picture that is refused goes as a document, and a file that cannot be sent as a text about it', () => {
    assert.deepEqual(nextStep(verdict('refused'), { ...first, isPhoto: true }), {
      do: 'again',
      form: { asDocument: true },
    });
    assert.deepEqual(nextStep(verdict('file'), first), { do: 'again', form: { bare: true } });
  });

  it('a chat that takes nothing waits alone, ever longer, an hour at most', () => {
    const waits = [0, 1, 2, 50].map((tries) =>
      nextStep(verdict('chat-closed'), { ...first, tries, random: 0.999999999 }),
    );
    const minutes = waits.map((step) => step.do === 'wait' && !step.whole && step.ms / 60_000);
    assert.deepEqual(minutes, [5, 10, 20, 60]);
  });

  it('a group that became another chat is followed', () => {
    const step = nextStep({ kind: 'moved', chat: -100, reason: '' }, first);
    assert.deepEqual(step, { do: 'move', chat: -100 });
    assert.equal(nextStep(verdict('moved'), first).do, 'wait');
  });

  it('a refused token stops the whole bot', () => {
    const step = nextStep(verdict('token'), first);
    assert.ok(step.do === 'wait' && step.whole);
  });

  it('changing the form always comes to an end, whatever Telegram says', () => {
    const errors = fc.constantFrom('markup', 'target-gone', 'file', 'refused' as const);
    fc.assert(
      fc.property(fc.infiniteStream(errors), fc.boolean(), fc.boolean(), (stream, refers, isPhoto) => {
        let form: Form = {};
        for (let turn = 0; turn < 6; turn++) {
          const kind = stream.next().value as Verdict['kind'];
          const step = nextStep(verdict(kind), { ...first, form, refers, isPhoto });
          if (step.do !== 'again') return;
          form = step.form;
        }
        assert.fail('still changing after 6 attempts');
      }),
    );
  });

  it('nothing but a refusal of the barest text is ever given up', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(), (error, tries) => {
        const step = nextStep(classify(error), { ...first, tries });
        assert.notEqual(step.do, 'give-up');
      }),
    );
  });
});

describe('after a failed attempt of what must not be sent twice', () => {
  const once: Attempt = { ...first, once: true };

  it('ends where it can’t be known whether it has arrived', () => {
    for (const kind of ['network', 'server'] as const)
      assert.deepEqual(nextStep(verdict(kind), once), { do: 'give-up', why: 'unknown' });
    for (const words of ['fetch failed', 'socket hang up', 'The operation was aborted due to timeout', '???'])
      assert.deepEqual(nextStep(classify(new Error(words)), once), { do: 'give-up', why: 'unknown' });
  });

  it('ends at a closed chat, at once', () => {
    assert.deepEqual(nextStep(verdict('chat-closed'), once), { do: 'give-up', why: 'closed' });
  });

  it('goes on where Telegram has surely not taken it', () => {
    const unsent = classify(new Error('EFATAL: fetch failed: ECONNREFUSED [not sent]'));
    assert.equal(nextStep(unsent, once).do, 'wait');
    for (const kind of ['flood', 'token', 'conflict'] as const)
      assert.equal(nextStep(verdict(kind), once).do, 'wait');
    assert.equal(nextStep(verdict('markup'), once).do, 'again');
  });
});

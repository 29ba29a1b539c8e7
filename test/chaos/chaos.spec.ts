import assert from 'node:assert/strict';
import { type Outcome, runChaos } from './chaos.ts';
import { report } from './report.ts';

const KILLS = 50;
const seed = Number(process.env.CHAOS_SEED) || Date.now() % 1_000_000;

describe(`Potion, killed ${KILLS} times while Telegram misbehaves (CHAOS_SEED=${seed})`, () => {
  let outcome: Outcome;
  let figures: Outcome['figures'];

  before(async function () {
    this.timeout(900_000);
    outcome = await runChaos({ kills: KILLS, seed });
    ({ figures } = outcome);
  });

  /** Says the whole story when something is not as it has to be. */
  const none = (count: number) => assert.equal(count, 0, `\n${report(outcome)}`);

  it('was at work all the while', () => {
    assert.equal(figures.kills, KILLS);
    assert.ok(figures.due > 200 && figures.commands > 50 && figures.acted > 5, report(outcome));
    assert.ok(figures.afterKill > 0 && figures.cuts > 0, 'no kill and no fault struck at a dangerous moment');
  });

  it('loses no event and no alarm that it has acknowledged', () => none(figures.lost));

  it('keeps the order in each chat', () => none(figures.reordered));

  it('sends at most one message twice per crash, besides those whose answer was cut off', () =>
    none(figures.unexplained));

  it('acts on no command twice, and on none without the yes that it asks for', () => {
    none(figures.actedTwice);
    none(figures.unasked);
  });

  it('answers every command in the end, and truly', () => {
    none(figures.unanswered);
    none(figures.untrue);
  });

  it('never ends by itself', () => none(outcome.ownEnds.length));

  it('leaves a whole database, nothing undone in it, and its token nowhere', () =>
    none(outcome.leftBehind.length));
});

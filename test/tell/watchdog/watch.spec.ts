import assert from 'node:assert/strict';
import fc from 'fast-check';
import { classify } from '../../../nodes/host/telegram-errors.js';
import {
  failed,
  looked,
  type Moment,
  type News,
  polled,
  startWatch,
  type Turn,
  type Watch,
} from '../../../nodes/tell/watchdog/watch.js';

const START = Date.UTC(2026, 0, 1);
const RULES = { within: 60_000, lostAfter: 60_000 };
const NETWORK = classify('EFATAL: fetch failed');
const CONFLICT = classify('ETELEGRAM: 409 Conflict: terminated by other getUpdates request');
const TOKEN = classify('ETELEGRAM: 401 Unauthorized');

/** Plays a timetable: what the bot does at each second, while the watchdog looks every 5 s. */
function play(
  seconds: number,
  bot: (second: number) => 'poll' | 'silent' | 'stopped' | typeof NETWORK,
  step = 5,
) {
  let watch: Watch = startWatch(RULES, { wall: START, mono: 0 });
  const restarts: number[] = [];
  const news: ({ at: number } & News)[] = [];
  for (let s = 0; s <= seconds; s += step) {
    const now: Moment = { wall: START + s * 1000, mono: s * 1000 };
    const take = (turn: Turn) => {
      watch = turn.watch;
      if (turn.restart) restarts.push(s);
      if (turn.news) news.push({ at: s, ...turn.news });
    };
    const does = bot(s);
    if (does === 'poll') take(polled(watch, now));
    else if (typeof does === 'object') take(failed(watch, does, now));
    take(looked(watch, { polls: does !== 'stopped' }, now));
  }
  return { watch, restarts, news, states: news.map(({ at, state }) => `${at} ${state}`) };
}

describe('the watchdog', () => {
  it('leaves a bot alone that polls', () => {
    const { restarts, news } = play(3600, () => 'poll');
    assert.deepEqual([restarts, news], [[], []]);
  });

  it('says nothing when flows have just started', () => {
    assert.deepEqual(play(50, (s) => (s < 40 ? NETWORK : 'poll')).news, []);
  });

  it('restarts a bot that has fallen silent, ever more rarely, every two minutes at least', () => {
    const { restarts } = play(800, (s) => (s < 100 ? 'poll' : 'silent'));
    assert.deepEqual(restarts, [155, 215, 335, 455, 575, 695]);
  });

  it('restarts a bot that has stopped polling already after 15 s', () => {
    const { restarts } = play(60, (s) => (s < 20 ? 'poll' : 'stopped'));
    assert.deepEqual(restarts, [35]);
  });

  it('begins anew once a poll has worked', () => {
    const silent = (s: number) => (s > 100 && s < 300) || s > 400;
    assert.deepEqual(play(480, (s) => (silent(s) ? 'silent' : 'poll')).restarts, [160, 220, 460]);
  });

  it('tells of a lost connection after a minute and of its return, from when to when', () => {
    const { news } = play(400, (s) => (s > 100 && s < 300 ? NETWORK : 'poll'));
    assert.deepEqual(
      news.map(({ at, state, since, ...rest }) => [
        at,
        state,
        since - START,
        'until' in rest ? rest.until - START : 0,
      ]),
      [
        [160, 'lost', 100_000, 0],
        [310, 'back', 100_000, 300_000],
      ],
    );
    assert.ok(news.every((one) => one.reason.kind === 'network'));
  });

  it('does not tell of less than a minute', () => {
    assert.deepEqual(play(600, (s) => (s % 50 === 0 ? 'poll' : NETWORK)).news, []);
  });

  it('tells of a connection that flaps ever more rarely', () => {
    const { states } = play(1800, (s) => (s % 100 < 70 ? NETWORK : 'poll'));
    assert.ok(states.length <= 4, states.join(', '));
  });

  it('names another instance on the same token, once, and says when it is gone', () => {
    const { states, watch, restarts } = play(900, (s) =>
      s > 100 && s < 500 ? (s % 20 === 0 ? 'poll' : CONFLICT) : 'poll',
    );
    assert.deepEqual(states, ['115 conflict', '560 back']);
    assert.equal(watch.conflict, false);
    assert.deepEqual(restarts, []);
  });

  it('does not cry over one or two conflicts, which a redeploy brings by itself', () => {
    assert.deepEqual(play(300, (s) => (s === 100 || s === 105 ? CONFLICT : 'poll')).news, []);
  });

  it('keeps calling it a conflict when the bot has been stopped over it', () => {
    const { watch, states, restarts } = play(3600, (s) =>
      s <= 100 ? 'poll' : s < 130 ? CONFLICT : 'stopped',
    );
    assert.equal(watch.conflict, true);
    assert.deepEqual(states, ['115 conflict']);
    assert.ok(restarts.length >= 5 && restarts.length <= 10, `restarted at ${restarts}`);
  });

  it('asks rarely with a token that is refused', () => {
    const { restarts } = play(3600, (s) => (s === 10 ? TOKEN : s > 10 ? 'stopped' : 'poll'));
    const gaps = restarts.slice(1).map((at, i) => at - (restarts[i] ?? 0));
    assert.deepEqual(gaps.slice(0, 5), [60, 120, 240, 480, 600]);
  });

  it('whatever happens: lost and back take turns, and no bot stays silent without being restarted', () => {
    const does = fc.constantFrom(
      'poll' as const,
      'silent' as const,
      'stopped' as const,
      NETWORK,
      CONFLICT,
      TOKEN,
    );
    const spell = fc.record({ does, turns: fc.integer({ min: 1, max: 60 }) });
    fc.assert(
      fc.property(fc.array(spell, { maxLength: 30 }), (spells) => {
        const acts = spells.flatMap(({ does, turns }) => Array(turns).fill(does));
        const { news, restarts } = play(acts.length * 5 - 5, (s) => acts[s / 5] ?? 'poll');
        for (const [i, one] of news.entries()) {
          assert.equal(one.state === 'back', i % 2 === 1, 'out of turn');
          if (one.state === 'back') assert.ok(one.until >= one.since);
        }
        let quiet = 0;
        for (const [i, act] of acts.entries()) {
          quiet = act === 'poll' ? 0 : quiet + 5;
          if (quiet < 660) continue;
          const from = (i + 1) * 5 - 660;
          assert.ok(
            restarts.some((at) => at >= from && at <= i * 5),
            `silent for ${quiet} s at ${i * 5}`,
          );
        }
      }),
    );
  });
});

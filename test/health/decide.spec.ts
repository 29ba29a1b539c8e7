import assert from 'node:assert/strict';
import { HOUR, MINUTE, Play, START, unit, WORLD } from './play.ts';

const { well, mute, failed, refuses, stopped, ailing, starting } = WORLD;

describe('potion-health decides: an outage', () => {
  it('is told at the second look in a row that finds it, and its end at once, silently', () => {
    const play = new Play().looks(0, 10, well).looks(10, 40, mute).looks(40, 60, well);
    assert.deepEqual(play.lines, ['15 potion:begin', '40 potion:over']);
    assert.deepEqual(
      play.said.map(({ silent }) => silent),
      [false, true],
    );
  });

  it('of one look is not told', () => {
    const play = new Play();
    for (const minute of [0, 10, 20, 30]) {
      play.look(minute, well);
      play.look(minute + 5, mute);
    }
    assert.deepEqual(play.lines, []);
  });

  it('needs time between its two looks, as when a failure starts one right before the timer does', () => {
    const play = new Play();
    play.look(0, mute);
    play.look(0.1, mute);
    assert.deepEqual(play.lines, []);
    play.look(5, mute);
    assert.deepEqual(play.lines, ['5 potion:begin']);
  });

  it('is told at once when systemd has given up', () => {
    for (const world of [failed, refuses]) {
      const play = new Play();
      play.look(0, well);
      play.look(1, world);
      assert.deepEqual(play.lines, ['1 potion:begin']);
      assert.equal(play.state.incidents[0]?.code, world === failed ? 'failed' : 'refuses');
    }
  });

  it('is told again after 1 h, 6 h and then daily', () => {
    const play = new Play().looks(0, 5, well).looks(5, 4 * 24 * 60, failed);
    const day = 24 * 60;
    assert.deepEqual(play.lines, [
      '5 potion:begin',
      '65 potion:still',
      '365 potion:still',
      ...[1, 2, 3].map((n) => `${5 + n * day} potion:still`),
    ]);
  });

  it('that grows worse is told at once, and only as often as it does', () => {
    const play = new Play()
      .looks(0, 20, ailing)
      .looks(20, 35, mute)
      .looks(35, 45, failed)
      .looks(45, 60, mute)
      .looks(60, 70, ailing);
    assert.deepEqual(play.lines, ['5 potion:begin', '25 potion:worse', '35 potion:worse', '65 potion:still']);
  });

  it('is excused for 15 minutes while an installation is under way', () => {
    const during = (since: number) => ({ ...failed, installing: START + since * MINUTE });
    const good = new Play().looks(0, 5, well).looks(5, 15, during(4)).looks(15, 30, well);
    assert.deepEqual(good.lines, []);
    const bad = new Play().looks(0, 5, well).looks(5, 60, during(4));
    assert.deepEqual(bad.lines, ['20 potion:begin']);
  });

  it('told before an installation is over when that has mended it', () => {
    const play = new Play()
      .looks(0, 5, failed)
      .looks(5, 15, { ...failed, installing: START + 4 * MINUTE })
      .looks(15, 20, well);
    assert.deepEqual(play.lines, ['0 potion:begin', '15 potion:over']);
  });

  it('says how long it was, from the first look that found it to the first that did not', () => {
    const play = new Play().looks(0, 10, well).looks(10, 40, mute);
    play.look(40, { ...well, reaches: false });
    const [incident] = play.state.incidents;
    assert.deepEqual([incident?.since, incident?.endedAt], [START + 10 * MINUTE, START + 40 * MINUTE]);
  });
});

describe('potion-health decides: what is no outage', () => {
  it('a Potion that somebody has switched off: one gentle line after 15 minutes, no reminder', () => {
    const play = new Play().looks(0, 5, well).looks(5, 3 * 24 * 60, stopped);
    assert.deepEqual(play.lines, ['20 potion:begin']);
    assert.equal(play.said[0]?.silent, true);
    play.looks(3 * 24 * 60, 3 * 24 * 60 + 10, well);
    assert.deepEqual(play.lines.slice(1), [`${3 * 24 * 60} potion:over`]);
  });

  it('one that is switched on again and takes its time to start', () => {
    const play = new Play().looks(0, 10, stopped).looks(10, 15, starting).looks(15, 30, well);
    assert.deepEqual(play.lines, []);
  });

  it('but one that was switched off and does not come up when switched on is', () => {
    const play = new Play().looks(0, 30, stopped).looks(30, 45, mute).looks(45, 50, well);
    assert.deepEqual(play.lines, ['15 potion:begin', '35 potion:worse', '45 potion:over']);
    assert.equal(play.said[1]?.silent, false);
  });

  it('nor is an outage forgotten when it is switched off to be mended', () => {
    const play = new Play()
      .looks(0, 10, failed)
      .looks(10, 6 * 60, stopped)
      .looks(6 * 60, 6 * 60 + 5, well);
    assert.deepEqual(play.lines, ['0 potion:begin', '360 potion:over']);
  });

  it('a part that can not reach Telegram where nobody here can', () => {
    const deaf = { health: { answer: 'ailing', parts: { telegram: 'silent' } } } as const;
    const away = { ...deaf, reaches: false };
    assert.deepEqual(new Play().looks(0, 60, away).looks(60, 65, well).lines, []);
    assert.deepEqual(new Play().looks(0, 10, deaf).lines, ['5 potion:begin'], 'but where we can it is');
  });

  it('a disk that fills up while Potion, whose job that is, runs', () => {
    const disks = [{ path: '/', problem: 'full', used: 1, available: 0 } as const];
    assert.deepEqual(new Play().looks(0, 120, { ...well, disks }).lines, []);
  });

  it('a look after a night switched off, though the last one before had its doubts', () => {
    const play = new Play();
    play.look(0, mute);
    play.look(480, mute);
    assert.deepEqual(play.lines, []);
    play.look(485, mute);
    assert.deepEqual(play.lines, ['485 potion:begin']);
  });

  it('a look after a reboot', () => {
    const play = new Play();
    play.look(0, mute);
    play.look(5, { ...starting, boot: 'another', uptime: 120 });
    play.look(10, { ...well, boot: 'another', uptime: 420 });
    assert.deepEqual(play.lines, []);
  });
});

describe('potion-health decides: what comes and goes', () => {
  it('restarts that go on are noticed though it answers at each look', () => {
    const play = new Play();
    for (let i = 0; i < 12; i++) play.look(i * 5, { ...well, unit: unit({ restarts: i * 2 }) });
    assert.deepEqual(play.lines, ['10 potion:begin']);
    assert.equal(play.state.incidents[0]?.code, 'looping');
    play.looks(60, 120, { ...well, unit: unit({ restarts: 22 }) });
    assert.deepEqual(play.lines.slice(1), ['70 potion:still', '80 potion:over']);
  });

  it('three restarts within half an hour are none of these, nor is a counter that starts anew', () => {
    const play = new Play();
    for (const [i, restarts] of [9, 9, 10, 11, 0, 0, 1, 0].entries())
      play.look(i * 5, { ...well, unit: unit({ restarts }) });
    assert.deepEqual(play.lines, []);
  });

  it('a flapping Potion is told ever more rarely', () => {
    const play = new Play();
    for (let minute = 0; minute < 24 * 60; minute += 30)
      play.looks(minute, minute + 15, mute).looks(minute + 15, minute + 30, well);
    const begins = play.lines
      .filter((line) => line.endsWith('begin'))
      .map((line) => Number(line.split(' ')[0]));
    assert.ok(begins.length >= 2 && begins.length <= 3, play.lines.join(', '));
    assert.ok(play.said.length <= 8, play.lines.join(', '));
    assert.ok((play.state.incidents[0]?.dips ?? 0) > 30, 'the last one goes on');
    play.looks(24 * 60, 30 * 60, well);
    assert.match(play.lines.at(-1) ?? '', /potion:over$/);
  });
});

describe('potion-health decides: while Telegram can not be reached', () => {
  it('keeps what it has to say and tells it later, once', () => {
    const play = new Play()
      .looks(0, 30, { ...mute, reaches: false })
      .looks(30, 45, mute)
      .looks(45, 50, well);
    assert.deepEqual(play.lines, ['30 potion:begin', '45 potion:over']);
    assert.equal(play.state.incidents.length, 1);
    play.look(50, well);
    assert.equal(play.state.incidents.length, 0);
  });

  it('tells of what has passed in one piece', () => {
    const play = new Play()
      .looks(0, 30, { ...mute, reaches: false })
      .looks(30, 60, { ...well, reaches: false })
      .looks(60, 120, well);
    assert.deepEqual(play.lines, ['60 potion:was']);
    assert.equal(play.said[0]?.silent, true);
  });

  it('tells of the end of one and the begin of the next together', () => {
    const away = { reaches: false };
    const play = new Play()
      .looks(0, 10, mute)
      .looks(10, 30, { ...well, ...away })
      .looks(30, 40, { ...mute, ...away })
      .looks(40, 45, mute);
    assert.deepEqual(play.lines, ['5 potion:begin', '40 potion:over potion:begin']);
  });

  it('sends one reminder for all that were due', () => {
    const play = new Play().looks(0, 5, failed).looks(5, 30 * 60, { ...failed, reaches: false });
    play.looks(30 * 60, 31 * 60, failed);
    assert.deepEqual(play.lines, ['0 potion:begin', '1800 potion:still']);
  });

  it('leaves Telegram alone for as long as it has asked for', () => {
    const play = new Play();
    play.state.quietUntil = START + 12 * MINUTE;
    play.looks(0, 20, failed);
    assert.deepEqual(play.lines, ['15 potion:begin']);
  });

  it('gives up on what has passed more than a week ago', () => {
    const play = new Play()
      .looks(0, 30, { ...mute, reaches: false })
      .looks(30, 8 * 24 * 60, { ...well, reaches: false })
      .looks(8 * 24 * 60, 8 * 24 * 60 + 10, well);
    assert.deepEqual(play.lines, []);
    assert.deepEqual(play.state.incidents, []);
  });
});

describe('potion-health decides: other things', () => {
  const token = {
    api: [
      { bot: 'owner', answer: 'ok' },
      { bot: 'potion', answer: 'refused' },
    ],
  } as const;

  it('a refused token is told through the other bot', () => {
    const play = new Play().looks(0, 60, { ...well, api: [...token.api] }).looks(60, 80, well);
    assert.deepEqual(play.lines, ['10 token:begin', '70 token:over']);
  });

  it('a refused token of the only bot is nothing that could be told', () => {
    const api = [{ bot: 'potion', answer: 'refused' } as const];
    assert.deepEqual(new Play().looks(0, 60, { ...well, api }).lines, []);
  });

  it('wrong settings are told while Potion still runs, but not in the middle of editing', () => {
    const wrong = { ...well, settings: ['POTION_PORT: "x" is not a port'] };
    assert.deepEqual(new Play().looks(0, 10, wrong).looks(10, 60, well).lines, []);
    const play = new Play().looks(0, 6 * 60, wrong);
    assert.deepEqual(play.lines, ['10 settings:begin']);
    play.looks(6 * 60, 6 * 60 + 5, { ...refuses, settings: wrong.settings });
    assert.deepEqual(play.lines.slice(1), ['360 potion:begin']);
  });

  it('logs that nobody rotates are told once a week', () => {
    const logs = { problem: 'not-rotated', runtime: 6e7, total: 7e7 } as const;
    const week = 7 * 24 * 60;
    const play = new Play().looks(0, week + 60, { ...well, logs });
    assert.deepEqual(play.lines, ['30 logs:begin', `${week + 30} logs:still`]);
    assert.ok(play.said.every(({ silent }) => silent));
  });

  it('what comes together is one message', () => {
    const wrong = { ...well, settings: ['X: y'], api: [...token.api] };
    assert.deepEqual(new Play().looks(0, 30, wrong).lines, ['10 token:begin settings:begin']);
  });

  it('each target gets each thing once, a new one the outage that goes on', () => {
    const play = new Play(['1', '2']).looks(0, 15, mute);
    assert.deepEqual(
      play.said.map(({ minute, target }) => [minute, target]),
      [
        [5, '1'],
        [5, '2'],
      ],
    );
    const grown = new Play(['1', '2', '3']);
    grown.state = play.state;
    grown.looks(15, 25, mute);
    assert.deepEqual(
      grown.said.map(({ minute, target }) => [minute, target]),
      [[15, '3']],
    );
  });
});

describe('potion-health decides: when the clock jumps', () => {
  for (const days of [1, -1]) {
    it(`by ${days} day, durations and reminders stay what they were`, () => {
      const play = new Play();
      play.looks(0, 15, mute);
      // The uptime goes on as before.
      const jump = days * 24 * HOUR;
      const later = (minute: number) => ({ at: START + jump + minute * MINUTE });
      for (let minute = 15; minute < 90; minute += 5) play.look(minute, { ...mute, ...later(minute) });
      assert.deepEqual(play.lines, ['5 potion:begin', '65 potion:still']);
      assert.equal(play.state.incidents[0]?.since, START + jump);
    });
  }

  it('backwards over a reboot, nothing lies in the future', () => {
    const play = new Play().looks(0, 15, mute);
    play.look(20, { ...mute, at: START - 100 * HOUR, boot: 'another', uptime: 60 });
    assert.ok((play.state.incidents[0]?.since ?? Number.POSITIVE_INFINITY) <= START - 100 * HOUR);
  });
});

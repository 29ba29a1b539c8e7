import assert from 'node:assert/strict';
import { sql } from 'kysely';
import { Bench, UNIT } from './self-heal-bench.ts';

describe('healer', () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await Bench.open();
  });
  afterEach(() => bench.close());

  it('restarts a unit that fell, without letting time pass', async () => {
    bench.unit.fates = [Number.POSITIVE_INFINITY];
    await bench.fall();
    assert.deepEqual(bench.unit.restarts, [bench.clock.now()]);
    await bench.pass(40_000);
    assert.deepEqual(bench.steps(), ['trying 1', 'healed 1']);
    assert.deepEqual(bench.failures, []);
  });

  it('has kept what it is about to do when the restart is ordered', async () => {
    let kept: unknown;
    const restart = bench.unit.restart.bind(bench.unit);
    bench.unit.fates = [Number.POSITIVE_INFINITY];
    bench.unit.restart = async () => {
      const row = await bench.db.selectFrom('heals').select('state').executeTakeFirst();
      kept = row && JSON.parse(row.state).heal;
      return restart();
    };
    await bench.fall();
    assert.deepEqual((kept as { phase: string; restarts: number[] }).restarts, [bench.clock.now()]);
    assert.equal((kept as { phase: string }).phase, 'trying');
  });

  it('orders nothing that it could not keep', async () => {
    await bench.db.schema.dropTable('heals').execute();
    await assert.rejects(async () => {
      bench.unit.sight = 'failed';
      await bench.notice();
    });
    assert.deepEqual(bench.unit.restarts, []);
  });

  it('goes on by itself with a unit that fell while nothing could be kept', async () => {
    const writable = (yes: boolean) => sql.raw(`pragma query_only = ${yes ? 'off' : 'on'}`).execute(bench.db);
    bench.unit.fates = [Number.POSITIVE_INFINITY];
    await writable(false);
    await bench.fall();
    await bench.pass(30_000);
    assert.deepEqual(bench.unit.restarts, []);
    await writable(true);
    await bench.pass(40_000);
    assert.deepEqual(bench.steps(), ['trying 1', 'healed 1']);
    assert.deepEqual(bench.failures, [], 'whoever noticed it has reported it');
  });

  it('leaves an audit entry for each restart and for what came of it', async () => {
    bench.unit.fates = [0, Number.POSITIVE_INFINITY];
    await bench.fall();
    await bench.pass(40_000);
    const rows = await bench.db.selectFrom('audit').selectAll().orderBy('id').execute();
    assert.deepEqual(
      rows.map((row) => `${row.user_id} ${row.event} ${row.action} ${row.target} ${row.result}`),
      ['ordered', 'FAILED', 'ordered', 'ok'].map(
        (result, i) => `null ${i % 2 ? 'result' : 'heal'} self-heal ${UNIT} ${result}`,
      ),
    );
  });

  it('gives up on a crash loop with one incident', async () => {
    bench.unit.fates = [3000, 3000, 3000];
    await bench.fall();
    await bench.pass(120_000);
    assert.equal(bench.unit.restarts.length, 3);
    assert.deepEqual(bench.steps(), ['trying 1', 'trying 2', 'trying 3', 'gave-up 3']);
    assert.equal(new Set(bench.told.map(({ episode }) => episode.since)).size, 1);
  });

  it('resets the failure first where systemd refuses further starts', async () => {
    bench.unit.limitHit = true;
    bench.unit.fates = [Number.POSITIVE_INFINITY];
    await bench.fall();
    assert.equal(bench.unit.resets, 1);
    assert.equal(bench.unit.restarts.length, 1);
  });

  it('gives up at once where it has no right, without asking again before the cool-down', async () => {
    bench.unit.denied = true;
    await bench.fall();
    await bench.pass(600_000);
    assert.deepEqual(bench.steps(), ['trying 1', 'gave-up 1']);
    assert.equal(bench.told[1]?.reason, 'refused');
  });

  it('does not touch a unit that an admin stops while it waits', async () => {
    bench.unit.fates = [0];
    await bench.fall();
    bench.unit.exempt = 'admin';
    await bench.pass(60_000);
    assert.equal(bench.unit.restarts.length, 1);
    assert.deepEqual(bench.steps(), ['trying 1', 'trying 2', 'left-alone 1']);
  });

  it('while systemd can’t be asked it says so once, and goes on when it can', async () => {
    bench.unit.fates = [0, Number.POSITIVE_INFINITY];
    await bench.fall();
    bench.unit.unreachable = true;
    await bench.pass(60_000);
    assert.equal(bench.failures.length, 1);
    bench.unit.unreachable = false;
    await bench.pass(60_000);
    assert.deepEqual(bench.steps(), ['trying 1', 'trying 2', 'healed 2']);
  });

  it('tries again when a person asks for it', async () => {
    bench.unit.fates = [0, 0, 0, Number.POSITIVE_INFINITY];
    await bench.fall();
    await bench.pass(120_000);
    await bench.healer().retry(UNIT);
    await bench.pass(40_000);
    assert.deepEqual(bench.steps().slice(-3), ['gave-up 3', 'trying 1', 'healed 1']);
  });
});

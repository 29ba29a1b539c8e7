import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPotion } from '../support/potion.ts';

describe('Potion does not start', function () {
  this.timeout(60_000);
  let top: string;
  beforeEach(() => {
    top = mkdtempSync(join(tmpdir(), 'potion-refuses-'));
    mkdirSync(join(top, 'flows'));
    writeFileSync(join(top, 'flows', 'a.json'), '[{ "id": "a", "type": "tab", "label": "A" }]');
  });
  afterEach(() => rmSync(top, { recursive: true }));
  const start = () => startPotion({ flowsDir: join(top, 'flows'), dataDir: join(top, 'data') });
  /** Starts, and gives what it said before it ended by itself. */
  const refusal = async () => {
    const potion = await start();
    const { code } = await potion.ended;
    assert.equal(code, 78, potion.console());
    assert.ok(!potion.console().includes('Started flows'));
    assert.ok(potion.log().endsWith(potion.console()), 'the log has what the console has');
    await potion.stop();
    return potion.log();
  };

  it('with a broken flow file, and names file, line and column', async () => {
    writeFileSync(join(top, 'flows', 'b.json'), '[\n  { "id": "b", "type": "tab" },\n  { "id" "n" }\n]');
    assert.match(
      await refusal(),
      /error Potion does not start\. The flow files in .*:\n {2}b\.json:3:10: not JSON: ":" is expected/,
    );
  });

  it('when all flows have vanished since it last ran', async () => {
    const potion = await start();
    await potion.waitReady();
    await potion.stop();
    renameSync(join(top, 'flows'), join(top, 'elsewhere'));
    assert.match(
      await refusal(),
      /no flows in .*flows:\n.*Potion had 1 tabs and subflows in .*flows when it last ran\n.*git checkout/,
    );
  });
});

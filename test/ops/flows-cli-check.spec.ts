import assert from 'node:assert/strict';
import { INJECT, MAIN, SHOW, useFlowsCli } from './flows-cli-fixture.ts';

describe('npm run flows -- check', () => {
  const { flows, put, setUp } = useFlowsCli();

  it('says that all is well', async () => {
    setUp();
    assert.deepEqual(await flows(['check']), { code: 0, out: '4 nodes, all well\n' });
  });

  it('names a broken file with line and column', async () => {
    put('flows/main.json', '[\n  { "id": "main" "type": "tab" }\n]');
    const { code, out } = await flows(['check']);
    assert.equal(code, 1);
    assert.match(out, /main\.json:2:18: not JSON: "," or "}" is expected/);
  });

  it('names what a reader would stumble over', async () => {
    put('flows/main.json', [MAIN, { ...INJECT, wires: [['gone']] }, { ...SHOW, type: 'not-there' }]);
    const { code, out } = await flows(['check']);
    assert.equal(code, 1);
    assert.match(
      out,
      /the tab node “Main”: the inject node “go” \(go\): it is wired to gone, which does not exist/,
    );
    assert.match(out, /“not-there” is not installed/);
    assert.match(out, /2 findings/);
  });
});

describe('npm run flows', () => {
  const { flows } = useFlowsCli();

  it('explains itself when asked in a wrong way', async () => {
    for (const args of [[], ['fly'], ['import'], ['constructor']]) {
      const { code, out } = await flows(args);
      assert.equal(code, 2);
      assert.match(out, /check {15}look over the flow files/);
    }
  });
});

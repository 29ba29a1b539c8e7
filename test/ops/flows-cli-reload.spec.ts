import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, type Potion, startPotion } from '../support/potion.ts';
import { MAIN, useFlowsCli } from './flows-cli-fixture.ts';

describe('npm run flows -- reload', function () {
  this.timeout(40_000);
  let potion: Potion;
  // Before its folder goes.
  afterEach(() => potion?.stop());
  const cli = useFlowsCli();
  const { flows, put, setUp } = cli;
  const port = () => ({ POTION_PORT: String(potion.port) });

  it('lets the running Potion load what has changed, or says what is wrong with it', async () => {
    setUp();
    potion = await startPotion({ flowsDir: cli.flowsDir, dataDir: join(cli.top, 'data') });
    await potion.waitReady();
    put('flows/main.json', [{ ...MAIN, label: 'Renamed' }]);
    assert.deepEqual(await flows(['reload'], port()), {
      code: 0,
      out: 'Loaded: 1 tabs and subflows, 2 nodes\n',
    });
    const { body } = await potion.admin('/flows');
    assert.equal((body as { label: string }[])[0]?.label, 'Renamed');
    put('flows/main.json', '[');
    const { code, out } = await flows(['reload'], port());
    assert.equal(code, 1);
    assert.match(out, /main\.json:1:2: not JSON: a value is expected, but the file ends here/);
  });

  it('works where the editor has a login, with a key that only Potion’s user can read', async () => {
    setUp();
    // The hash of "potion"; bcrypt at its lowest cost.
    const EDITOR_PASSWORD_HASH = '$2b$04$2dH0zYXJRr3oDqJYC0Z3ye9fTf1T2y8nPUkXh5n0Q0l3m6b1nM3bK';
    potion = await startPotion({
      flowsDir: cli.flowsDir,
      dataDir: join(cli.top, 'data'),
      env: { EDITOR_PASSWORD_HASH },
    });
    await potion.waitReady();
    assert.equal((await potion.admin('/potion/flows/reload', { method: 'POST' })).status, 401);
    const wrong = { authorization: `Bearer ${'0'.repeat(64)}` };
    assert.equal(
      (await potion.admin('/potion/flows/reload', { method: 'POST', headers: wrong })).status,
      401,
    );
    const key = join(cli.top, 'data', 'local-token');
    assert.equal(statSync(key).mode & 0o777, 0o600);
    const right = { authorization: `Bearer ${readFileSync(key, 'utf8')}` };
    assert.equal((await potion.admin('/flows', { headers: right })).status, 401, 'it opens nothing else');
    const { code, out } = await flows(['reload'], { ...port(), EDITOR_PASSWORD_HASH });
    assert.equal(code, 0, out);
  });

  it('says when no Potion answers', async () => {
    const { code, out } = await flows(['reload'], { POTION_PORT: String(await freePort()) });
    assert.equal(code, 1);
    assert.match(out, /no Potion answers at http:\/\/127\.0\.0\.1:\d+.*is it running\?/);
  });
});

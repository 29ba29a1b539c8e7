import assert from 'node:assert/strict';
import { needs } from '../support/needs.ts';
import { Chat } from './chat.ts';
import { bootWithClone, current, giveRemote, install, startTelegram, type Telegram } from './installing.ts';
import type { Machine } from './machine.ts';

const MODULES = '/opt/potion/current/node_modules';

describe("Update: Potion's own packages, on a booted machine", function () {
  this.timeout(150_000);
  let machine: Machine;
  let telegram: Telegram;
  let chat: Chat;

  before(async function () {
    needs(this, 'root', 'systemd-nspawn');
    machine = await bootWithClone();
    telegram = await startTelegram(machine);
    await giveRemote(machine);
    const { code, all } = await install(machine, ['--lang', 'id'], telegram.env);
    assert.equal(code, 0, all);
    chat = new Chat(telegram.driver);
  });

  after(async () => {
    telegram?.driver.stop();
    await machine?.stop();
  });

  const shell = (script: string) => machine.run(['sh', '-ec', script], { timeout: 60_000 });

  it('are found to be those of the lock file, also under the name of old', async () => {
    for (const command of ['/npm_sync', '/pip_sync']) {
      const told = await chat.ask(command, /Sesuai: \d{3} paket Potion/);
      assert.deepEqual(told.buttons, [['🔄 Cek ulang', '⬅️ Update']]);
    }
    await chat.ask('/npm_sync all', /kelebihan/);
  });

  it('are named when they differ: another version, one that is missing, one too many', async () => {
    await shell(`cd ${MODULES}
      sed -i 's/"version": "[^"]*"/"version": "0.0.1"/' liquidjs/package.json
      rm -r yaml
      sed -i 's#"node_modules/yaml": {#"node_modules/stranger": { "version": "1.0.0" },\\n&#' .package-lock.json`);
    const told = await chat.ask('/npm_sync', /3 paket Potion tidak sesuai/);
    assert.match(told.text, /tidak ada: yaml/);
    assert.match(told.text, /liquidjs: harusnya [\d.]+, yang ada 0\.0\.1/);
    assert.match(told.text, /tidak dikenal: stranger/);
    assert.deepEqual(told.buttons[0], ['🔧 Pasang ulang']);
  });

  it('stay as they are when they can not be fetched, and that is said', async () => {
    await machine.writeFile(
      '/root/.npmrc',
      'fetch-retries=0\nregistry=http://127.0.0.1:9/\ncache=/root/empty\n',
    );
    const before = await current(machine);
    const question = await chat.ask('/npm_repair', /Yakin mau memasang ulang Potion versi ini/);
    const begun = await chat.press(question, '✅ Ya', /Memasang Potion/);
    const told = await chat.next(begun.next, /tidak bisa dipasang/, 90_000);
    assert.match(told.text, /Yang sedang jalan tidak disentuh/);
    assert.equal(await current(machine), before);
  });
});

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { needs } from '../support/needs.ts';
import { Chat } from './chat.ts';
import { type Installed, layOut } from './installed.ts';
import { bootMachine, type Machine } from './machine.ts';

const FILE = '/etc/potion/scripts.yaml';
const SCRIPTS = `scripts:
  - name: who
    description: { id: "Siapa aku", en-US: "Who am I" }
    argv: [/usr/bin/id, --user, --name]
    confirm: false
  - name: env
    description: { id: "Lingkungan", en-US: "Environment" }
    argv: [/usr/bin/cat, /proc/self/environ]
    confirm: false
  - name: write
    description: { id: "Tulis", en-US: "Write" }
    argv: [/usr/bin/touch, /etc/potion/written]
  - name: many
    description: { id: "Banyak", en-US: "Many" }
    argv: [/usr/local/bin/many.sh]
    timeout: 2
    confirm: false
`;
const MANY = '#!/bin/sh\nsleep 77 &\nsetsid sleep 77 &\nwait\n';

describe('scripts, of an installed Potion on a booted machine', function () {
  this.timeout(120_000);
  let machine: Machine;
  let potion: Installed;
  let chat: Chat;

  before(async function () {
    needs(this, 'root', 'systemd-nspawn');
    machine = await bootMachine({ files: { '/usr/local/bin/many.sh': MANY } });
    potion = await layOut(machine);
    await machine.run(['chmod', '755', '/usr/local/bin/many.sh']);
    await machine.run(['mkdir', '-p', '/etc/potion']);
    await machine.run(['sh', '-c', 'cat > "$1"', 'sh', FILE], { input: SCRIPTS });
    await machine.run(['chmod', '644', FILE]);
    await potion.start();
    chat = new Chat(potion.telegram);
  });
  after(async () => {
    potion?.close();
    await machine?.stop();
  });

  it('run as Potion’s own user, without its secrets', async () => {
    await chat.ask('/script who', /✅ who selesai.*\npotion$/s);
    const { text } = await chat.ask('/script env', /✅ env selesai/);
    assert.match(text, /LC_ALL=C/);
    assert.doesNotMatch(text, /TOKEN|ADMIN_IDS|DATA_DIR/);
  });

  it('can’t write where Potion can’t, also after a yes', async () => {
    const asked = await chat.ask('/script write', /Yakin mau jalankan skrip write\?/);
    const { text } = await chat.press(asked, '✅ Ya');
    assert.match(text, /❌ write selesai.*exit code 1\n.*(Permission denied|Read-only file system)/s);
  });

  it('end at their timeout with what they have started', async () => {
    await chat.ask('/script many', /skrip many tidak selesai dalam 2 detik/);
    await sleep(300);
    const { stdout } = await machine.exec(['pgrep', '-fc', '^sleep 77$']);
    assert.ok(Number(stdout) <= 1, 'only what has left its group, which ends with Potion');
    await machine.run(['systemctl', 'stop', 'potion']);
    assert.equal(Number((await machine.exec(['pgrep', '-fc', '^sleep 77$'])).stdout), 0);
    await machine.run(['systemctl', 'start', 'potion']);
  });

  it('count only when root has written them: not those of Potion’s own user, nor what that may write', async () => {
    await machine.run(['chown', 'potion', FILE]);
    await chat.ask('/script who', /scripts\.yaml bukan milik root\n👉 sudo chown root:root/);
    await machine.run(['chown', 'root', FILE]);
    await machine.run(['chmod', '666', FILE]);
    await chat.ask('/script who', /bisa ditulis orang lain/);
    await machine.run(['chmod', '644', FILE]);
    await machine.run(['chown', 'potion', '/usr/local/bin/many.sh']);
    await chat.ask('/script many', /many\.sh bukan milik root/);
  });
});

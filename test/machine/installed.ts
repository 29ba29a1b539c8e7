import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FAKE_TOKEN } from '../support/potion.ts';
import { Driver, until } from './driver.ts';
import { GUEST_HOME, GUEST_NODE, type Machine } from './machine.ts';

const HOME = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const FILES = join(HOME, 'ops', 'install', 'files', 'systemd');
/** Where the Bot API server listens inside, and where Potion does. */
const TELEGRAM = 8081;
const PORT = 1880;

export interface LayOutOptions {
  /** Lines of /etc/potion/potion.env besides the token, admin and address of Telegram. */
  env?: Record<string, string>;
  /** Sections of a drop-in for potion.service, e.g. '[Service]\nWatchdogSec=3'. */
  dropIn?: string;
  /** Values of nodes of the shipped flows, by id. */
  changes?: Record<string, object>;
  /** Other texts for units, by name. */
  files?: Record<string, string>;
}

/** What systemd knows of potion.service. */
export interface UnitFacts {
  state: string;
  sub: string;
  result: string;
  pid: number;
  restarts: number;
  status: string;
}

interface Told {
  id: number;
  text: string;
}

/**
 * Lays Potion out in a booted machine as the installer does (user, folders, settings, unit), with this checkout
 * for its code, and starts a Bot API server beside it. Potion itself is not started.
 */
export async function layOut(machine: Machine, options: LayOutOptions = {}): Promise<Installed> {
  const telegram = new Driver(machine, 'telegram');
  const { user: admin } = await telegram.ask<{ user: number }>('start', TELEGRAM);
  await machine.run(['sh', '-ec', LAY_OUT]);
  const env = {
    BOT_TOKEN: FAKE_TOKEN,
    ADMIN_IDS: String(admin),
    TELEGRAM_API_URL: `http://127.0.0.1:${TELEGRAM}`,
    POTION_PORT: String(PORT),
    EDITOR_BIND: 'loopback',
    ...options.env,
  };
  const lines = Object.entries(env).map(([name, value]) => `${name}="${value}"\n`);
  await machine.writeFile('/etc/potion/potion.env', lines.join(''), '600');
  const units = Object.fromEntries(
    readdirSync(FILES).map((name) => [name, readFileSync(join(FILES, name), 'utf8')]),
  );
  for (const [name, text] of Object.entries({ ...units, ...options.files }))
    await machine.writeFile(`/etc/systemd/system/${name}`, text);
  const installed = new Installed(machine, telegram);
  if (options.dropIn) await installed.dropIn(options.dropIn);
  for (const [id, values] of Object.entries(options.changes ?? {})) await installed.change(id, values);
  await machine.run(['systemctl', 'daemon-reload']);
  return installed;
}

const LAY_OUT = `
id potion >/dev/null 2>&1 || useradd --system --home-dir /var/lib/potion --shell /usr/sbin/nologin --groups adm,systemd-journal potion
mkdir -p /opt/potion/releases/test/.potion/bin /etc/potion
cd /opt/potion/releases/test
for entry in ${GUEST_HOME}/*; do ln -sfn "$entry" .; done
ln -sfn ${GUEST_NODE} .potion/bin/node
ln -sfn releases/test /opt/potion/current
install -d -o potion -g potion -m 750 /var/lib/potion /var/log/potion /var/cache/potion
cp -r ${GUEST_HOME}/flows /var/lib/potion/flows
chown -R potion:potion /var/lib/potion
`;

/** A Potion that systemd runs in a machine, and the person who talks to it. */
export class Installed {
  readonly machine: Machine;
  telegram: Driver;

  constructor(machine: Machine, telegram: Driver) {
    this.machine = machine;
    this.telegram = telegram;
  }

  /** Adds to potion.service; the next start has it. */
  async dropIn(text: string, name = 'test'): Promise<void> {
    await this.machine.writeFile(`/etc/systemd/system/potion.service.d/${name}.conf`, `${text}\n`);
    await this.machine.run(['systemctl', 'daemon-reload']);
  }

  /** Changes values of one node of the flows; the next start has it. */
  async change(id: string, values: object): Promise<void> {
    const script = `
      const fs = require('fs'), path = require('path');
      const [folder, id, values] = process.argv.slice(1);
      for (const name of fs.readdirSync(folder).filter((name) => name.endsWith('.json'))) {
        const file = path.join(folder, name);
        const nodes = JSON.parse(fs.readFileSync(file, 'utf8'));
        const node = Array.isArray(nodes) && nodes.find((one) => one.id === id);
        if (!node) continue;
        Object.assign(node, JSON.parse(values));
        fs.writeFileSync(file, JSON.stringify(nodes, null, 2) + '\\n');
        process.exit();
      }
      throw new Error('no node ' + id);
    `;
    const args = [GUEST_NODE, '-e', script, '/var/lib/potion/flows', id, JSON.stringify(values)];
    await this.machine.run(args, { user: 'potion' });
  }

  async facts(): Promise<UnitFacts> {
    const names = ['ActiveState', 'SubState', 'Result', 'MainPID', 'NRestarts', 'StatusText'];
    const said = await this.machine.run(['systemctl', 'show', `-p${names}`, 'potion.service']);
    const values = new Map(
      said.split('\n').map((line) => [line.split('=', 1)[0], line.replace(/^[^=]*=/, '')]),
    );
    const value = (name: string) => values.get(name) ?? '';
    return {
      state: value('ActiveState'),
      sub: value('SubState'),
      result: value('Result'),
      pid: Number(value('MainPID')),
      restarts: Number(value('NRestarts')),
      status: value('StatusText'),
    };
  }

  /** Waits until systemd's facts are as asked. */
  async untilUnit(is: (facts: UnitFacts) => boolean, ms = 60_000): Promise<UnitFacts> {
    let last: UnitFacts | undefined;
    return until(
      async () => {
        last = await this.facts();
        return is(last) ? last : undefined;
      },
      ms,
      () => JSON.stringify(last),
    ).catch(async (thrown) => {
      throw new Error(`${thrown.message}\n${await this.journal()}`);
    });
  }

  /** Starts it and waits until it is active and healthy. */
  async start(): Promise<UnitFacts> {
    await this.machine
      .run(['systemctl', 'start', 'potion.service'], { timeout: 60_000 })
      .catch(async (thrown) => {
        throw new Error(`${thrown.message}\n${await this.journal()}`);
      });
    await this.untilHealthy();
    return this.facts();
  }

  /** Ends it at once, whatever it is doing (an orderly stop waits for the open poll); the next start is as the first. */
  async kill(): Promise<void> {
    const control = (...args: string[]) => this.machine.exec(['systemctl', ...args, 'potion.service']);
    await control('stop', '--no-block');
    await control('kill', '--signal=KILL');
    await this.untilUnit(({ state }) => state === 'inactive' || state === 'failed');
    await control('reset-failed');
    // Or ops/runtime/launch would take it for a crash, and slow down the next starts.
    await this.machine.exec(['rm', '-rf', '/run/potion/starts', '/run/potion/tried-restarts.json']);
  }

  /** Waits until its health answers 200. */
  async untilHealthy(ms = 60_000): Promise<void> {
    // A poll without news lasts ten seconds, and only its end says that polling works.
    await this.telegram.ask('say', 'hai');
    let last = '';
    await until(
      async () => {
        const { status, text } = await this.health();
        last = text;
        return status === 200 ? true : undefined;
      },
      ms,
      () => last,
    ).catch(async (thrown) => {
      throw new Error(`${thrown.message}\n${await this.journal()}`);
    });
  }

  /** What its health answers; status 0 while nobody answers. */
  async health(): Promise<{ status: number; text: string }> {
    const script = `fetch('http://127.0.0.1:${PORT}/potion/health').then(
      async (answer) => console.log(answer.status + ' ' + (await answer.text())), () => console.log('0 '))`;
    const said = await this.machine.run([GUEST_NODE, '-e', script]);
    return { status: Number(said.split(' ', 1)[0]), text: said.slice(said.indexOf(' ') + 1) };
  }

  /** The bot's message that fits, once it is there. */
  async heard(text: RegExp, ms = 60_000): Promise<Told> {
    let last: Told[] = [];
    return until(
      async () => {
        last = await this.messages();
        return last.find((message) => text.test(message.text));
      },
      ms,
      () => `waiting for ${text}, heard: ${JSON.stringify(last)}`,
    ).catch(async (thrown) => {
      throw new Error(`${thrown.message}\n${await this.journal()}`);
    });
  }

  messages(): Promise<Told[]> {
    return this.telegram.ask<Told[]>('messages');
  }

  /** Waits for another poll than those that were there before. */
  async polledAgain(ms = 60_000): Promise<void> {
    const before = await this.telegram.ask<number>('polls');
    await until(async () => ((await this.telegram.ask<number>('polls')) > before ? true : undefined), ms);
  }

  /** The last lines of its journal. */
  async journal(lines = 60): Promise<string> {
    return (await this.machine.exec(['journalctl', '-u', 'potion', '-o', 'cat', '-n', String(lines)])).stdout;
  }

  /** A new Bot API server on the same address, after the machine was booted again. */
  async reopen(): Promise<void> {
    this.telegram = new Driver(this.machine, 'telegram');
    await this.telegram.ask('start', TELEGRAM);
  }

  /** Ends the Bot API server; the machine ends the rest. */
  close(): void {
    this.telegram.stop();
  }
}

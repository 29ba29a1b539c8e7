import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  BASE,
  clearLeftovers,
  kill,
  leaderOf,
  mount,
  noteProcess,
  overlay,
  PREFIX,
  removeMachine,
} from './disk.ts';

/**
 * A machine with a booted systemd, made of this machine's own file system: an overlay over `/` takes what it
 * writes, systemd-nspawn boots it, its network is a loopback of its own. Nothing of this machine changes.
 */
export interface MachineOptions {
  /** Unit files by name, put in /etc/systemd/system. */
  units?: Record<string, string>;
  /** Units that the boot starts, besides D-Bus. */
  start?: string[];
  mask?: string[];
  /** Files by absolute path, there before the boot. Not below /run and /tmp, which start empty. */
  files?: Record<string, string>;
  /** Folders of this machine to show read-only, by their path inside. */
  binds?: Record<string, string>;
}

export interface ExecOptions {
  /** Default root. */
  user?: string;
  env?: Record<string, string>;
  /** Default /. */
  cwd?: string;
  input?: string;
  /** Milliseconds, default 30 s. */
  timeout?: number;
}

export interface ExecResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** Where the checkout and Node are inside, readable for every user. */
export const GUEST_HOME = '/srv/checkout';
export const GUEST_NODE = '/srv/node/node';

const HOME = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const BOOT_LIMIT = 60_000;

/** Boots a machine; `await machine.stop()` removes all of it again. */
export async function bootMachine(options: MachineOptions = {}): Promise<Machine> {
  clearLeftovers();
  const machine = new Machine(options);
  try {
    await machine.boot();
    return machine;
  } catch (thrown) {
    await machine.stop();
    throw thrown;
  }
}

export class Machine {
  /** The machine's root as seen from here, without its /run and /tmp. Use exec() to write while it runs. */
  readonly rootDir: string;
  readonly #folder: string;
  readonly #options: MachineOptions;
  readonly #children = new Set<ChildProcess>();
  #nspawn: ChildProcess | undefined;
  #pid = 0;
  #log = '';
  readonly #onExit = () => this.#remove();

  constructor(options: MachineOptions) {
    this.#options = options;
    this.#folder = mkdtempSync(join(BASE, PREFIX));
    this.rootDir = join(this.#folder, 'root');
    noteProcess(this.#folder, 'owner', process.pid);
    process.once('exit', this.#onExit);
    const disk = join(this.#folder, 'disk');
    for (const folder of [this.rootDir, disk]) mkdirSync(folder);
    if (!overlay(disk, this.rootDir)) {
      // Where /var/tmp is itself an overlay, e.g. in a container, the disk has to be in memory.
      mount(['-t', 'tmpfs', 'tmpfs', disk]);
      if (!overlay(disk, this.rootDir)) throw new Error('an overlay over / could not be mounted');
    }
    this.#furnish();
  }

  /** Process id of its PID 1 on this machine; 0 while it is off. */
  get pid(): number {
    return this.#pid;
  }

  /** Switches it on (again), on the same disk. Resolves when its boot has finished. */
  async boot(): Promise<void> {
    const binds = {
      [GUEST_HOME]: HOME,
      [dirname(GUEST_NODE)]: dirname(process.execPath),
      ...this.#options.binds,
    };
    const args = [
      '--quiet',
      '--boot',
      `--directory=${this.rootDir}`,
      '--register=no',
      '--private-network',
      '--hostname=potion-test',
      '--console=passive',
      '--settings=no',
      '--link-journal=no',
      '--resolv-conf=off',
      '--timezone=off',
      ...Object.entries(binds).map(([inside, outside]) => `--bind-ro=${outside}:${inside}`),
    ];
    // Without systemd here nobody can give it a scope of its own.
    if (!existsSync('/run/systemd/system')) args.push('--keep-unit');
    const nspawn = spawn('systemd-nspawn', [...args, 'systemd.unit=machine.target'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH },
    });
    this.#nspawn = nspawn;
    if (nspawn.pid) noteProcess(this.#folder, 'nspawn', nspawn.pid);
    const keep = (chunk: Buffer) => {
      this.#log = (this.#log + chunk.toString()).slice(-4000);
    };
    nspawn.stdout.on('data', keep);
    nspawn.stderr.on('data', keep);
    nspawn.on('error', (error) => keep(Buffer.from(String(error))));
    const deadline = performance.now() + BOOT_LIMIT;
    while (!(await this.#isUp(nspawn))) {
      if (nspawn.exitCode !== null || performance.now() > deadline)
        throw new Error(`the machine did not boot:\n${this.#log}`);
      await sleep(30);
    }
  }

  /** Runs a program inside to its end. A non-zero exit is a result. */
  async exec(args: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    const child = this.spawn(args, options);
    const result: ExecResult = { code: -1, stdout: '', stderr: '' };
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      result.stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      result.stderr += text;
    });
    child.stdin?.end(options.input ?? '');
    const limit = options.timeout ?? 30_000;
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, limit);
    await new Promise((resolve) => child.once('close', resolve));
    clearTimeout(timer);
    if (late) throw new Error(`${args.join(' ')} did not finish within ${limit} ms\n${result.stderr}`);
    result.code = child.exitCode ?? -1;
    return result;
  }

  /** As exec(), but anything than exit 0 is an error. @returns stdout, trimmed */
  async run(args: readonly string[], options: ExecOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.exec(args, options);
    if (code !== 0) throw new Error(`${args.join(' ')} exited ${code}: ${stderr}${stdout}`);
    return stdout.trim();
  }

  /** Starts a program inside; it ends with the machine. Killing the child process kills the program. */
  spawn(args: readonly string[], { user = 'root', env = {}, cwd = '/' }: ExecOptions = {}): ChildProcess {
    const enter = ['-t', String(this.#pid), '-a', '-r', '-w'];
    // The program must die with nsenter, which does not hand signals on.
    const script =
      'exec setpriv --pdeathsig KILL --reuid "$0" --regid "$(id -g "$0")" --init-groups env -i -C "$@"';
    const vars = Object.entries({ PATH, HOME: user === 'root' ? '/root' : '/', LANG: 'C.UTF-8', ...env });
    const child = spawn(
      'nsenter',
      [
        ...enter,
        '--',
        'sh',
        '-c',
        script,
        user,
        cwd,
        ...vars.map(([name, value]) => `${name}=${value}`),
        ...args,
      ],
      { stdio: ['pipe', 'pipe', 'pipe'], env: { PATH } },
    );
    child.stdin.on('error', () => {});
    this.#children.add(child);
    child.once('close', () => this.#children.delete(child));
    return child;
  }

  /** Writes a file inside, /run and /tmp included, with its folders. */
  async writeFile(path: string, text: string, mode = '644'): Promise<void> {
    const script = 'mkdir -p "$(dirname "$1")" && cat > "$1" && chmod "$2" "$1"';
    await this.run(['sh', '-c', script, 'sh', path, mode], { input: text });
  }

  /** Ends every process of the machine at once, as a power cut does; its files stay. boot() goes on. */
  async powerCut(): Promise<void> {
    const nspawn = this.#nspawn;
    if (this.#pid > 0) kill(this.#pid);
    else nspawn?.kill('SIGKILL');
    if (nspawn && nspawn.exitCode === null && nspawn.signalCode === null)
      await new Promise((resolve) => nspawn.once('exit', resolve));
    this.#pid = 0;
    this.#nspawn = undefined;
    for (const child of this.#children) child.kill('SIGKILL');
  }

  /** Resolves when a reboot that the machine does itself has brought it up again. */
  async rebooted(begin: () => Promise<unknown>): Promise<void> {
    const nspawn = this.#nspawn;
    const before = this.#pid;
    if (!nspawn) throw new Error('the machine is off');
    await begin();
    const deadline = performance.now() + BOOT_LIMIT;
    // systemd-nspawn boots it again by itself, or, where it is part of a unit, leaves that to whoever started it.
    while (nspawn.exitCode === null && [0, before].includes(leaderOf(nspawn.pid ?? 0))) {
      if (performance.now() > deadline) throw new Error(`the machine did not reboot:\n${this.#log}`);
      // A shutdown stops all processes first; nsenter then stops too, and would never let go of its program.
      for (const child of this.#children) child.kill('SIGKILL');
      await sleep(30);
    }
    if (nspawn.exitCode !== null) return this.boot();
    while (!(await this.#isUp(nspawn))) await sleep(30);
  }

  /** Ends the machine and removes everything of it. */
  async stop(): Promise<void> {
    await this.powerCut();
    this.#remove();
    process.removeListener('exit', this.#onExit);
  }

  #remove(): void {
    if (this.#pid > 0) kill(this.#pid);
    removeMachine(this.#folder);
  }

  async #isUp(nspawn: ChildProcess): Promise<boolean> {
    this.#pid = leaderOf(nspawn.pid ?? 0);
    if (this.#pid === 0) return false;
    noteProcess(this.#folder, 'guest', this.#pid);
    const { stdout } = await this.exec(['systemctl', 'is-system-running', '--wait'], { timeout: BOOT_LIMIT });
    return /^(running|degraded)$/.test(stdout.trim());
  }

  /** What makes it boot fast and by itself: its own target, no disks of this machine, its own identity. */
  #furnish(): void {
    const { units = {}, start = [], mask = [], files = {} } = this.#options;
    const wants = ['dbus.socket', ...start].join(' ');
    const put = (path: string, text: string) => {
      mkdirSync(dirname(join(this.rootDir, path)), { recursive: true });
      writeFileSync(join(this.rootDir, path), text);
    };
    put('/etc/fstab', '');
    put('/etc/crypttab', '');
    rmSync(join(this.rootDir, '/etc/machine-id'), { force: true });
    put('/etc/machine-id', `${crypto.randomUUID().replaceAll('-', '')}\n`);
    put('/etc/systemd/system/machine.target', target(wants));
    for (const [name, text] of Object.entries(units)) put(`/etc/systemd/system/${name}`, text);
    for (const [path, text] of Object.entries(files)) put(path, text);
    for (const name of mask) {
      rmSync(join(this.rootDir, '/etc/systemd/system', name), { force: true });
      symlinkSync('/dev/null', join(this.rootDir, '/etc/systemd/system', name));
    }
  }
}

const target = (wants: string) => `[Unit]
Description=What a test needs
Requires=sysinit.target
Wants=${wants}
After=sysinit.target ${wants}
AllowIsolate=yes
`;

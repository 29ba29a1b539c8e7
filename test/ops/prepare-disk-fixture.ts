import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';

const HOME = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
export const SCRIPT = join(HOME, 'ops', 'install', 'prepare-disk.sh');
export const GB = 1024 ** 3;

export interface Ran {
  code: number | null;
  /** stdout and stderr. */
  all: string;
}

/** Runs a program to its end; anything than exit 0 is an error. @returns stdout, trimmed */
export function sh(program: string, ...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw error ?? new Error(`${program} ${args.join(' ')} exited ${status}: ${stderr}`);
  return stdout.trim();
}

const quietly = (program: string, ...args: string[]) => spawnSync(program, args).status === 0;

/**
 * A server's /etc and /mnt in a folder, and disks that are files behind loop devices. prepare-disk.sh works there
 * with --root, so that nothing of this machine changes.
 */
export class Bench {
  readonly root: string;
  readonly #folder: string;
  readonly #disks = new Set<string>();
  #files = 0;
  readonly #onExit = () => this.close();

  constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), 'potion-disk-'));
    this.root = join(this.#folder, 'root');
    for (const place of ['etc/potion', 'mnt']) mkdirSync(join(this.root, place), { recursive: true });
    this.put(
      'etc/passwd',
      'root:x:0:0::/root:/bin/sh\npotion:x:4321:4322::/var/lib/potion:/usr/sbin/nologin\n',
    );
    process.once('exit', this.#onExit);
  }

  get mountPoint(): string {
    return join(this.root, 'mnt/potion-data');
  }

  put(path: string, text: string, mode = 0o644): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text, { mode });
  }

  text(path: string): string {
    return readFileSync(join(this.root, path), 'utf8');
  }

  has(path: string): boolean {
    return existsSync(join(this.root, path));
  }

  /** A file of zeros for a disk. */
  image(size = 2 * GB): string {
    const file = join(this.#folder, `disk-${this.#files++}`);
    const fd = openSync(file, 'w');
    ftruncateSync(fd, size);
    closeSync(fd);
    return file;
  }

  /** A disk: the name of its device. `parts` are the sizes of its partitions. */
  disk({ size = 2 * GB, parts = [], readonly = false, image = this.image(size) }: DiskOptions = {}): string {
    if (parts.length > 0) write(image, partitionTable(parts));
    const device = sh('losetup', '--find', '--show', ...(readonly ? ['--read-only'] : []), image);
    this.#disks.add(device);
    if (parts.length > 0) sh('partx', '--add', device);
    return device;
  }

  /** Takes a disk out. */
  unplug(device: string): void {
    quietly('partx', '--delete', device);
    sh('losetup', '--detach', device);
    this.#disks.delete(device);
  }

  /** Mounts a device on a place below the root. */
  mount(device: string, place: string): string {
    const folder = join(this.root, place);
    mkdirSync(folder, { recursive: true });
    sh('mount', device, folder);
    return folder;
  }

  umount(place = 'mnt/potion-data'): void {
    const folder = join(this.root, place);
    const device = sh('findmnt', '-nro', 'SOURCE', '--mountpoint', folder);
    sh('umount', folder);
    // A container that starts just then has a copy of the mount for a moment.
    for (let tries = 0; tries < 100 && !quietly('wipefs', '--all', '--no-act', device); tries++)
      quietly('sleep', '0.05');
  }

  isMounted(place = 'mnt/potion-data'): boolean {
    return readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${join(this.root, place)} `);
  }

  #args(args: string[]): string[] {
    const lang = args.some((one) => one.startsWith('--lang')) ? [] : ['--lang=en'];
    return [`--root=${this.root}`, ...lang, ...args];
  }

  /** Runs the script without a terminal. */
  run(...args: string[]): Ran {
    const { status, stdout, stderr } = spawnSync(SCRIPT, this.#args(args), {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH },
    });
    return { code: status, all: stdout + stderr };
  }

  /** Starts the script without a terminal, with a process group of its own. */
  start(...args: string[]): ChildProcess {
    return spawn(SCRIPT, this.#args(args), {
      stdio: 'ignore',
      detached: true,
      env: { PATH: process.env.PATH },
    });
  }

  /**
   * Runs the script in a terminal, as a person. Each time that the next question is there, types the answer to it;
   * an answer may be made (and something done) only then.
   */
  async talk(args: string[], dialogue: [question: RegExp, answer: string | (() => string)][]): Promise<Ran> {
    const command = [SCRIPT, ...this.#args(args)].map((word) => `'${word}'`).join(' ');
    const child = spawn(
      'script',
      ['--quiet', '--flush', '--return', '--echo', 'never', '--command', command, '/dev/null'],
      {
        stdio: ['pipe', 'pipe', 'pipe'],
        env: { PATH: process.env.PATH, TERM: 'dumb', SHELL: '/bin/sh' },
      },
    );
    let all = '';
    let seen = 0;
    const turns = [...dialogue];
    const onText = (text: string) => {
      all += text;
      const [turn] = turns;
      const match = turn?.[0].exec(all.slice(seen));
      if (!turn || !match) return;
      seen = all.length;
      turns.shift();
      child.stdin.write(`${typeof turn[1] === 'string' ? turn[1] : turn[1]()}\n`);
    };
    child.stdout.setEncoding('utf8').on('data', onText);
    child.stderr.setEncoding('utf8').on('data', onText);
    const timer = setTimeout(() => child.kill('SIGKILL'), 30_000);
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    clearTimeout(timer);
    if (turns.length > 0) throw new Error(`never asked ${turns[0]?.[0]}; said:\n${all}`);
    return { code, all };
  }

  /** Takes everything away again. */
  close(): void {
    process.removeListener('exit', this.#onExit);
    for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n').reverse()) {
      const place = line.split(' ')[4] ?? '';
      if (place.startsWith(this.root)) quietly('umount', '--lazy', place);
    }
    for (const device of this.#disks) {
      if (readFileSync('/proc/swaps', 'utf8').includes(`${device} `)) quietly('swapoff', device);
      // Or the next disk of that name would have them.
      quietly('partx', '--delete', device);
      quietly('losetup', '--detach', device);
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export interface DiskOptions {
  size?: number;
  parts?: number[];
  readonly?: boolean;
  image?: string;
}

/** Changes whenever something is written to the file of a disk. */
export function fingerprint(image: string): string {
  sh('sync', image);
  const { mtimeNs, blocks } = statSync(image, { bigint: true });
  return `${mtimeNs} ${blocks} ${sh('sh', '-c', 'head -c 8M "$0" | sha256sum; tail -c 8M "$0" | sha256sum', image)}`;
}

/** Writes bytes into a disk or its file. */
export function write(path: string, pieces: Pieces): void {
  const fd = openSync(path, 'r+');
  for (const [offset, bytes] of pieces) writeSync(fd, bytes, 0, bytes.length, offset);
  closeSync(fd);
}

type Pieces = [offset: number, bytes: Buffer][];

const number = (bytes: number, value: number): Buffer => {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntLE(value, 0, Math.min(bytes, 6));
  return buffer;
};

/** An MBR with primary partitions, one after the other. */
function partitionTable(sizes: number[]): Pieces {
  const sector = Buffer.alloc(512);
  sector.writeUInt32LE(0x1234abcd, 440);
  let start = 2048;
  sizes.forEach((size, index) => {
    const at = 446 + 16 * index;
    sector[at + 4] = 0x83;
    sector.writeUInt32LE(start, at + 8);
    sector.writeUInt32LE(size / 512, at + 12);
    start += size / 512;
  });
  sector.writeUInt16LE(0xaa55, 510);
  return [[0, sector]];
}

/** What other systems write at the start of their volumes, as far as blkid looks at it. */
export const MARKS: Record<string, Pieces> = {
  ntfs: [
    [3, Buffer.from('NTFS    ')],
    [0x0b, number(2, 512)],
    [0x0d, number(1, 8)],
    [0x15, number(1, 0xf8)],
    [0x28, number(8, 4_000_000)],
    [0x30, number(8, 4)],
    [0x38, number(8, 100)],
    [0x40, Buffer.from([0xf6])],
    [0x48, number(8, 0xabcdef)],
    [4 * 4096, Buffer.from('FILE')],
    [4 * 4096 + 3 * 1024, Buffer.from('FILE')],
    [510, Buffer.from([0x55, 0xaa])],
  ],
  vfat: [
    [0, Buffer.from([0xeb, 0x58, 0x90])],
    [11, number(2, 512)],
    [13, number(1, 8)],
    [14, number(2, 32)],
    [16, number(1, 2)],
    [21, number(1, 0xf8)],
    [32, number(4, 4_000_000)],
    [36, number(4, 4000)],
    [44, number(4, 2)],
    [48, number(2, 1)],
    [0x52, Buffer.from('FAT32   ')],
    [510, Buffer.from([0x55, 0xaa])],
  ],
  LVM2_member: lvm(),
  crypto_LUKS: [[0, Buffer.concat([Buffer.from('LUKS\xba\xbe', 'latin1'), Buffer.from([0, 1])])]],
};

function lvm(): Pieces {
  const label = Buffer.alloc(512);
  label.write('LABELONE', 0);
  label.writeUInt32LE(1, 8);
  label.writeUInt32LE(32, 20);
  label.write('LVM2 001', 24);
  label.write('abcdefghijklmnopqrstuvwxyz012345', 32);
  // LVM's checksum is the usual one with a start of its own.
  label.writeUInt32LE((crc32(label.subarray(20), 0xf597a6cf ^ 0xffffffff) ^ 0xffffffff) >>> 0, 16);
  return [[512, label]];
}

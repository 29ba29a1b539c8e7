// The programs that the tests use, from Debian's packages.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Installed as they are: a program that must exist (checked first) and the package that brings it. */
const PACKAGES = [
  ['/usr/bin/systemd-nspawn', 'systemd-container'],
  ['/usr/lib/systemd/systemd', 'systemd'],
  ['/usr/lib/systemd/system/dbus.socket', 'dbus'],
  ['/usr/lib/polkit-1/polkitd', 'polkitd'],
  ['/usr/bin/chromium', 'chromium'],
  ['/usr/sbin/mkfs.ext4', 'e2fsprogs'],
  ['/usr/bin/ip', 'iproute2'],
  ['/usr/bin/rsync', 'rsync'],
  ['/usr/sbin/logrotate', 'logrotate'],
  ['/usr/bin/shellcheck', 'shellcheck'],
  ['/usr/bin/ping', 'iputils-ping'],
  ['/usr/sbin/smartctl', 'smartmontools'],
  ['/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf', 'fonts-noto-color-emoji'],
];

/** Only unpacked, because installing them would start a server. */
const UNPACKED = [['promtool', 'prometheus', 'usr/bin/promtool']];

function quiet(program, args, options = {}) {
  return spawnSync(program, args, {
    encoding: 'utf8',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    ...options,
  });
}

/**
 * Brings the test tools: installs Debian packages when root, unpacks others below `.potion/tools` in any
 * case. What can't be had is left out: the tests that need it say so, and fail in CI.
 */
export async function installTools(say, home) {
  if (!existsSync('/usr/bin/apt-get')) return;
  const missing = PACKAGES.filter(([program]) => !existsSync(program)).map(([, name]) => name);
  const tools = join(home, '.potion', 'tools');
  const wanted = UNPACKED.filter(([program]) => !existsSync(join(tools, program)));
  const root = process.getuid() === 0;
  if (missing.length > 0 && !root)
    say(
      `not root, so these test tools are not installed: ${missing.join(' ')} (sudo apt-get install ${missing.join(' ')})`,
    );
  if ((missing.length > 0 || wanted.length > 0) && root) quiet('apt-get', ['update', '-qq']);
  if (missing.length > 0 && root) {
    say(`installing test tools: ${missing.join(' ')} …`);
    const result = quiet('apt-get', ['install', '-y', '--no-install-recommends', ...missing]);
    if (result.status !== 0)
      say(`apt-get install failed: ${result.stderr.trim().split('\n').slice(-3).join(' ')}`);
  }
  for (const [program, name, inside] of wanted) unpack(say, tools, program, name, inside);
}

function unpack(say, tools, program, name, inside) {
  say(`fetching ${program} …`);
  const work = mkdtempSync(join(tmpdir(), 'potion-tools-'));
  try {
    const download = quiet('apt-get', ['download', name], { cwd: work });
    if (download.status !== 0) throw new Error(download.stderr);
    const found = quiet('sh', ['-c', 'dpkg-deb -x ./*.deb out'], { cwd: work });
    if (found.status !== 0) throw new Error(found.stderr);
    mkdirSync(tools, { recursive: true });
    quiet('cp', [join(work, 'out', inside), join(tools, `${program}.new`)]);
    renameSync(join(tools, `${program}.new`), join(tools, program));
  } catch (error) {
    say(`could not fetch ${program}: ${error.message.trim()}`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

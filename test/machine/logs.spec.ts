import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { needs } from '../support/needs.ts';
import { until } from './driver.ts';
import { bootMachine, GUEST_HOME, GUEST_NODE, type Machine } from './machine.ts';

const LOGS = '/var/log/potion';
const HOME = new URL('../../', import.meta.url);
const CONFIG = readFileSync(new URL('ops/install/files/logrotate', HOME), 'utf8');
/** None of what is counted may be dropped, and a day is too long for a test. */
const KEEP_ALL = CONFIG.replaceAll('rotate 10\n', 'rotate 90\n').replace(
  'dateext\n',
  'dateext\n dateformat -%Y%m%d-%s\n',
);

const WRITER = `[Service]
User=potion
UMask=0027
ExecStart=${GUEST_NODE} --disable-warning=ExperimentalWarning ${GUEST_HOME}/test/machine/inside/log-writer.ts
`;

describe('Potion’s logs under logrotate', function () {
  this.timeout(90_000);
  let machine: Machine;

  before(async function () {
    needs(this, 'root', 'systemd-nspawn', 'logrotate');
    machine = await bootMachine({
      units: { 'potion.service': WRITER },
      mask: ['logrotate.timer'],
      files: { '/etc/logrotate.d/potion': CONFIG, '/root/keep-all': KEEP_ALL },
    });
    await machine.run(['useradd', '--system', '--user-group', '--no-create-home', 'potion']);
  });
  after(() => machine?.stop());

  beforeEach(async () => {
    await machine.run(['install', '-d', '-o', 'potion', '-g', 'potion', '-m', '750', LOGS]);
  });
  afterEach(async () => {
    await machine.run(['systemctl', 'stop', 'potion']);
    await machine.exec(['umount', LOGS]);
    await machine.run(['rm', '-rf', LOGS, '/var/lib/logrotate/status']);
  });

  const start = async () => {
    await machine.run(['systemctl', 'start', 'potion']);
    await until(async () => ((await stat('runtime.log')) === '' ? undefined : true), 20_000);
  };
  const stat = async (name: string) =>
    (await machine.exec(['stat', '-c', '%s', `${LOGS}/${name}`])).stdout.trim();
  const grows = async (name: string) => {
    const before = Number(await stat(name)) || 0;
    await until(async () => (Number(await stat(name)) > before ? true : undefined), 20_000);
  };
  /** The number of the line that stands last in runtime.log. */
  const last = async () =>
    Number(/line=(\d+)\.$/.exec(await machine.run(['tail', '-n1', `${LOGS}/runtime.log`]))?.[1] ?? -1);
  const rotate = (config = '/root/keep-all') => machine.exec(['logrotate', '--force', config]);
  /** What stands in a log and all that was rotated, in any order. */
  const read = async (log: string, pattern: RegExp) => {
    const folder = join(machine.rootDir, LOGS);
    const found: string[] = [];
    for (const name of readdirSync(folder).filter((file) => file.startsWith(log))) {
      const bytes = readFileSync(join(folder, name));
      const text = (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
      for (const [, number = ''] of text.matchAll(pattern)) found.push(number);
    }
    return found.map(Number).sort((a, b) => a - b);
  };

  it('have every line exactly once when rotated twenty times under a flood of lines', async () => {
    await start();
    for (let run = 0; run < 20; run++) {
      // The name by date has seconds in it: at least two of them.
      if (run === 10) await sleep(1100);
      const { stderr } = await rotate();
      // Within one second the name by date is taken; the log stays as it is then.
      assert.match(stderr, /^(error: destination \S+actions.log-\S+ already exists, skipping rotation\n)?$/);
    }
    await until(async () => ((await last()) >= 200_000 ? true : undefined), 60_000);
    assert.equal(await machine.run(['systemctl', 'is-active', 'potion']), 'active');
    await machine.run(['systemctl', 'stop', 'potion']);
    const numbers = (length: number) => Array.from({ length }, (_, n) => n);
    const length = (await last()) + 1;
    assert.deepEqual(await read('runtime.log', /line=(\d+)\./g), numbers(length));
    assert.deepEqual(await read('actions.log', /line-(\d+)\./g), numbers(Math.ceil(length / 10)));
    assert.ok((await names()).filter((name) => name.includes('actions.log-')).length > 1);
    const files = (await machine.run(['stat', '-c', '%U:%G %a %n', ...(await names())])).split('\n');
    assert.ok(files.filter((file) => file.endsWith('.gz')).length >= 20, files.join('\n'));
    for (const file of files) assert.match(file, /^potion:potion 640 /);
  });

  const names = async () => (await machine.run(['sh', '-c', `ls -d ${LOGS}/*`])).split('\n');

  it('are moved away by size and by age as the file for /etc says', async () => {
    await start();
    await machine.run(['systemctl', 'stop', 'potion']);
    await machine.exec(['logrotate', '/etc/logrotate.conf']);
    assert.ok(!(await names()).some((name) => name.includes('runtime.log.')), 'it is smaller than 10 MB');
    await machine.run(['truncate', '-s', '11M', `${LOGS}/runtime.log`]);
    for (const days of [89, 91])
      await machine.run([
        'setpriv',
        '--reuid=potion',
        '--regid=potion',
        '--clear-groups',
        'touch',
        '-d',
        `${days} days ago`,
        `${LOGS}/actions.log-${days === 89 ? '20200102' : '20200101'}`,
      ]);
    const yesterday = 'yesterday 12:00';
    await machine.run(['sh', '-c', STATUS, 'sh', `${LOGS}/actions.log`, yesterday]);
    const { code, stderr } = await machine.exec(['logrotate', '/etc/logrotate.conf']);
    assert.deepEqual([code, stderr], [0, '']);
    const left = await names();
    assert.ok(left.includes(`${LOGS}/runtime.log.1`), left.join());
    assert.ok(left.includes(`${LOGS}/actions.log-20200102.gz`), left.join());
    assert.ok(!left.some((name) => name.includes('20200101')), left.join());
  });

  it('lead root nowhere by a link that Potion’s user put there', async () => {
    await start();
    await machine.run(['systemctl', 'stop', 'potion']);
    await machine.writeFile('/root/secret', 'for root alone\n', '600');
    const as = ['setpriv', '--reuid=potion', '--regid=potion', '--clear-groups'];
    for (const name of ['health.log', 'runtime.log.1', 'actions.log-20200101'])
      await machine.run([...as, 'ln', '-s', '/root/secret', `${LOGS}/${name}`]);
    await rotate();
    await rotate();
    assert.equal(await machine.run(['stat', '-c', '%U %a', '/root/secret']), 'root 600');
    assert.equal(await machine.run(['cat', '/root/secret']), 'for root alone');
    const copies = await machine.exec(['sh', '-c', `zgrep -l 'for root' $(find ${LOGS} -type f)`]);
    assert.equal(copies.stdout, '');
  });

  it('go on when the folder is removed and comes back', async () => {
    await start();
    await machine.run(['rm', '-rf', LOGS]);
    await machine.run(['install', '-d', '-o', 'potion', '-g', 'potion', '-m', '750', LOGS]);
    await grows('runtime.log');
    await grows('actions.log');
    assert.equal(await machine.run(['systemctl', 'is-active', 'potion']), 'active');
  });

  it('survive a full disk, in a rotation too, and say how much is missing', async () => {
    await machine.run(['mount', '-t', 'tmpfs', '-o', 'size=4m,uid=potion,gid=potion,mode=750', 'x', LOGS]);
    await machine.run(['sh', '-c', `head -c 2M /dev/zero > ${LOGS}/ballast`]);
    await start();
    const free = ['df', '--output=avail', '--block-size=1', LOGS];
    await until(
      async () =>
        (await machine.run(free)).endsWith(' 0') || /\n\s*0$/.test(await machine.run(free))
          ? true
          : undefined,
      20_000,
    );
    await rotate();
    await rotate();
    await machine.run(['rm', `${LOGS}/ballast`]);
    await until(
      async () =>
        (await machine.exec(['grep', '-q', 'could not be written here', `${LOGS}/runtime.log`])).code === 0
          ? true
          : undefined,
      20_000,
    );
    await rotate();
    await machine.run(['systemctl', 'stop', 'potion']);
    const all = await machine.run([
      'sh',
      '-c',
      `cd ${LOGS} && for log in runtime.log*; do zcat -f "$log"; done`,
    ]);
    const lines = all.split('\n');
    assert.ok(lines.length > 1000);
    const torn = lines.filter(
      (line) => !/ info line=\d+\.$|^\(\d+ lines could not be written here\)$/.test(line),
    );
    assert.deepEqual(torn, [], 'every line is whole');
    const numbers = lines.flatMap((line) => /line=(\d+)\./.exec(line)?.[1] ?? []).map(Number);
    const missing = lines.map((line) => Number(/^\((\d+) lines/.exec(line)?.[1] ?? 0));
    assert.equal(new Set(numbers).size, numbers.length, 'no line twice');
    assert.equal(
      numbers.length + missing.reduce((sum, some) => sum + some, 0),
      Math.max(...numbers) + 1,
      'every line is there or counted',
    );
  });
});

/** Makes logrotate believe that it saw a log last at a time. */
const STATUS = `mkdir -p /var/lib/logrotate && f=/var/lib/logrotate/status &&
{ echo 'logrotate state -- version 2'; grep -v -F "$1" $f | tail -n +2; date -d "$2" "+\\"$1\\" %Y-%-m-%-d-%-H:0:0"; } > $f.new && chmod 600 $f.new && mv $f.new $f`;

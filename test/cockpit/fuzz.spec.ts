import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HOME } from '../support/node-red.ts';
import type { Report } from './fuzz/inside.ts';

const UPDATES = Number(process.env.FUZZ_UPDATES ?? 10_000);
const SEED = Number(process.env.FUZZ_SEED ?? 1);

function run(folder: string, updates = UPDATES, ...more: string[]): Promise<Report> {
  return new Promise((resolve, reject) => {
    const args = [join(HOME, 'test/cockpit/fuzz/inside.ts'), String(updates), String(SEED), folder, ...more];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    let complaint = '';
    child.stdout.on('data', (data) => {
      said += data;
    });
    child.stderr.on('data', (data) => {
      complaint += data;
    });
    child.on('close', (code, signal) => {
      const at = said.lastIndexOf('\n@@');
      if (code === 0 && at >= 0) resolve(JSON.parse(said.slice(at + 3).split('\n')[0] ?? ''));
      else reject(new Error(`ended with ${code ?? signal}: ${complaint.slice(-4000)}`));
    });
  });
}

describe(`${UPDATES} updates of people at their worst, through all flows (seed ${SEED})`, function () {
  this.timeout(180_000);
  let report: Report;
  let folder: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'potion-fuzz-'));
    report = await run(folder);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('reach every command that there is, each many times, and every kind of trouble', () => {
    assert.ok(report.updates >= UPDATES, `${report.updates}`);
    assert.ok(report.commands.length > 30);
    for (const name of report.commands)
      assert.ok((report.asked[name] ?? 0) >= 4, `/${name} was hardly asked`);
    assert.ok(Object.keys(report.kinds).length >= 11, JSON.stringify(report.kinds));
  });

  it('end nothing: no error goes uncaught', () => assert.deepEqual(report.crashes, []));

  it('do nothing for strangers, say nothing to them, and leave a line about each in the audit log', () => {
    assert.deepEqual(report.forStrangers, []);
    assert.equal(report.strangersLogged, 40);
    assert.deepEqual(report.wrongChats, []);
    assert.deepEqual(report.wrongPresses, []);
  });

  it('change nothing without a yes of whoever asked, each good for once', () => {
    assert.ok(report.changes >= 4, `only ${report.changes} changes`);
    assert.deepEqual(report.unlawful, []);
  });

  it('would bring to light a flow that does not ask', async () => {
    const { unlawful } = await run(folder, 600, 'careless');
    assert.ok(
      unlawful.some((what) => /nobody has said yes/.test(what)),
      JSON.stringify(unlawful),
    );
  });

  it('leave no admin without an answer', () => {
    assert.deepEqual(report.unanswered, []);
    assert.ok(report.answered > UPDATES / 5, `${report.answered} answered`);
  });

  it('are held back when they come in a flood, with a word about it', () => {
    assert.ok(report.limited >= 1);
    assert.ok(report.flooded < 100, `${report.flooded} answers to a flood`);
  });
});

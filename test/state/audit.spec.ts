import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { readConfig, setConfig } from '../../nodes/kit/config.js';
import { AUDIT_KEPT, audit, formatAudit, pruneAudit } from '../../nodes/state/audit.js';
import { type Database, openDatabase } from '../../nodes/state/database.js';

const ENTRY = { at: Date.UTC(2026, 0, 2, 3, 4, 5, 6), user: 42, event: 'request', action: 'svc' };

describe('the audit log', () => {
  let logDir: string;
  let db: Database;

  beforeEach(async () => {
    logDir = mkdtempSync(join(tmpdir(), 'potion-audit-'));
    setConfig(readConfig({ LOG_DIR: join(logDir, 'new', 'logs') }, logDir));
    db = await openDatabase(':memory:');
  });
  afterEach(async () => {
    setConfig(undefined);
    await db.destroy();
    rmSync(logDir, { recursive: true });
  });

  const lines = () => readFileSync(join(logDir, 'new', 'logs', 'actions.log'), 'utf8').split('\n');

  it('keeps an entry in the table and as a line that says who, what and how it went', async () => {
    await audit(db, { ...ENTRY, target: 'restart nginx', result: 'ok', detail: { took: 3 } });
    const row = await db.selectFrom('audit').selectAll().executeTakeFirstOrThrow();
    assert.deepEqual(
      { ...row },
      {
        id: 1,
        at: ENTRY.at,
        user_id: 42,
        event: 'request',
        action: 'svc',
        target: 'restart nginx',
        result: 'ok',
        detail: '{"took":3}',
      },
    );
    const [line = '', end] = lines();
    assert.match(
      line,
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d user=42 event=request action=svc /,
    );
    assert.equal(Date.parse(line.split(' ')[0] ?? ''), ENTRY.at);
    assert.ok(line.endsWith(' target="restart nginx" result=ok detail="{\\"took\\":3}"'));
    assert.equal(end, '');
  });

  it('is not lost when the log file can not be written', async () => {
    writeFileSync(join(logDir, 'a-file'), '');
    setConfig(readConfig({ LOG_DIR: join(logDir, 'a-file', 'logs') }, logDir));
    const complaint: string[] = [];
    const { write } = process.stderr;
    process.stderr.write = ((text: string) => complaint.push(text) > 0) as never;
    try {
      await audit(db, ENTRY);
      await audit(db, ENTRY);
    } finally {
      process.stderr.write = write;
    }
    assert.equal((await db.selectFrom('audit').select('id').execute()).length, 2);
    assert.equal(complaint.length, 1);
    assert.match(complaint[0] ?? '', /actions\.log can't be written/);
  });

  it('forgets entries older than 90 days, some at a time', async () => {
    const now = ENTRY.at;
    for (const age of [1, AUDIT_KEPT - 1, AUDIT_KEPT + 1, AUDIT_KEPT + 2, AUDIT_KEPT + 3])
      await audit(db, { ...ENTRY, at: now - age });
    assert.equal(await pruneAudit(db, now, 2), 2);
    assert.equal(await pruneAudit(db, now, 2), 1);
    assert.equal(await pruneAudit(db, now, 2), 0);
    assert.equal((await db.selectFrom('audit').select('id').execute()).length, 2);
  });
});

describe('a line of the audit log', () => {
  it('can not be broken or forged by what a stranger sends', () => {
    const forged = 'x\n2026-01-01T00:00:00.000+00:00 user=42 event=result action=reboot result=ok';
    const line = formatAudit({ ...ENTRY, user: 666, target: forged });
    assert.ok(!line.includes('\n'));
    assert.ok(line.includes('user=666 event=request action=svc target="x\\n2026-01-01T'));
  });

  it('holds no control or direction characters and is of bounded length, whatever the values are', () => {
    const text = fc.string({ unit: 'binary', maxLength: 1500, size: 'max' });
    fc.assert(
      fc.property(text, text, text, (action, target, result) => {
        const line = formatAudit({ ...ENTRY, action, target, result });
        assert.doesNotMatch(line, /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u);
        assert.ok(line.length < 6 * (64 + 512 + 256) + 200);
        assert.ok(line.isWellFormed());
      }),
      { numRuns: 200 },
    );
  });

  it('has every value in its own place, so that it can be read back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (target) => {
        const line = formatAudit({ ...ENTRY, target, result: 'ok' });
        const [, value] = / target=(.*) result=ok$/.exec(line) ?? [];
        assert.ok(value);
        const read = value.startsWith('"') ? JSON.parse(value) : value;
        assert.equal(read, target.toWellFormed());
      }),
      { numRuns: 1000 },
    );
  });

  it('holds no bot token', () => {
    const token = `123456:${'A'.repeat(35)}`;
    assert.ok(!formatAudit({ ...ENTRY, target: `https://api.telegram.org/bot${token}/x` }).includes(token));
  });
});

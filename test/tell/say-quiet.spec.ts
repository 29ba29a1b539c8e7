import assert from 'node:assert/strict';
import { incident, NOW, request, useSay } from './say-fixture.ts';

/** The span around the test's own time of day. */
function around(): string {
  const hour = new Date(NOW).getHours();
  return `${hour}:00-${(hour + 1) % 24}:00`;
}

describe('say in quiet hours', () => {
  const { start, first } = useSay();

  it('makes no sound over what nobody asked for, even where that was to ring', async () => {
    await start({ text: 'done.ok' }, { QUIET_HOURS: around() });
    assert.equal((await first({ incident })).silent, true);
    assert.equal((await first({ incident, say: { text: 'done.ok', silent: false } })).silent, true);
    assert.equal((await first({})).silent, true);
  });

  it('rings for what is critical, and for answers', async () => {
    await start({ text: 'done.ok' }, { QUIET_HOURS: around() });
    assert.equal((await first({ incident: { ...incident, severity: 'critical' } })).silent, false);
    assert.equal((await first({ request })).silent, false);
  });

  it('leaves what is silent anyhow', async () => {
    await start({ text: 'done.ok' }, { QUIET_HOURS: around() });
    const silent = {
      incident: { ...incident, severity: 'critical' as const },
      say: { text: 'done.ok', silent: true },
    };
    assert.equal((await first(silent)).silent, true);
  });

  it('rings as ever outside of them', async () => {
    const hour = new Date(NOW).getHours();
    await start({ text: 'done.ok' }, { QUIET_HOURS: `${(hour + 1) % 24}:00-${hour}:00` });
    assert.equal((await first({ incident })).silent, false);
  });
});

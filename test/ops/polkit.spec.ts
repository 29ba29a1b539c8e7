import assert from 'node:assert/strict';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { unitName } from '../../nodes/kit/config.js';
import { fullUnitName, polkitRules } from '../../ops/install/polkit.mjs';

type Details = Record<string, string>;

/** What polkit would be told by these rules; undefined: nothing, so what else there is counts. */
function decide(rules: string, id: string, user: string, details: Details = {}): string | undefined {
  let rule: (action: object, subject: object) => string | undefined = () => undefined;
  const polkit = {
    Result: { YES: 'yes', NO: 'no' },
    addRule: (added: typeof rule) => {
      rule = added;
    },
  };
  runInNewContext(rules, { polkit });
  return rule({ id, lookup: (name: string) => details[name] }, { user });
}

const UNITS = 'org.freedesktop.systemd1.manage-units';
const LOGIND = 'org.freedesktop.login1';

describe('the polkit rules', () => {
  const rules = polkitRules(['nginx', 'web@1.service', 'tick.timer']);
  const unit = (name: string, verb: string, user = 'potion') =>
    decide(rules, UNITS, user, { unit: name, verb });

  it("allow exactly Potion's verbs on exactly these units, for Potion's user alone", () => {
    for (const name of ['nginx.service', 'web@1.service', 'tick.timer'])
      for (const verb of ['start', 'stop', 'restart', 'reset-failed']) {
        assert.equal(unit(name, verb), 'yes');
        assert.equal(unit(name, verb, 'other'), undefined);
      }
    for (const verb of [
      'reload',
      'try-restart',
      'kill',
      'set-property',
      'freeze',
      'clean',
      'ref',
      '',
      'toString',
    ])
      assert.equal(unit('nginx.service', verb), 'no');
    for (const name of [
      'nginx',
      'web@2.service',
      'tick.service',
      'nginx.service ',
      'NGINX.service',
      'toString',
    ])
      assert.equal(unit(name, 'start'), 'no');
  });

  it('refuse what names no unit, as a transient one does, and everything else of systemd', () => {
    assert.equal(decide(rules, UNITS, 'potion'), 'no');
    assert.equal(decide(rules, UNITS, 'potion', { verb: 'start' }), 'no');
    for (const id of ['manage-unit-files', 'reload-daemon', 'set-environment', 'reply-password'])
      assert.equal(
        decide(rules, `org.freedesktop.systemd1.${id}`, 'potion', { unit: 'nginx.service', verb: 'start' }),
        'no',
      );
  });

  it('allow reboot and power-off, also while somebody is logged in, but never over an inhibitor', () => {
    for (const id of ['reboot', 'reboot-multiple-sessions', 'power-off', 'power-off-multiple-sessions']) {
      assert.equal(decide(rules, `${LOGIND}.${id}`, 'potion'), 'yes');
      assert.equal(decide(rules, `${LOGIND}.${id}`, 'other'), undefined);
    }
    for (const id of [
      'reboot-ignore-inhibit',
      'power-off-ignore-inhibit',
      'halt',
      'suspend',
      'inhibit-delay-shutdown',
    ])
      assert.equal(decide(rules, `${LOGIND}.${id}`, 'potion'), undefined);
  });

  it('are made of unit names only', () => {
    for (const name of ['', '--help', 'a b', 'a"];evil();["', 'a\nb', '../x', 'web@', `${'a'.repeat(260)}`])
      assert.throws(() => polkitRules([name]), /is not a unit name/);
  });

  it('name units as Potion does, whatever is put into the whitelist', () => {
    const piece = fc.constantFrom(
      'a',
      'nginx',
      '@',
      '.',
      '-',
      '\\x2d',
      '.service',
      '.mount',
      '.slice',
      '/',
      ' ',
      '"',
      ':',
      'é',
    );
    const name = fc.oneof(
      fc.string(),
      fc.array(piece, { maxLength: 6 }).map((parts) => parts.join('')),
      fc.string({ minLength: 240, maxLength: 260, unit: fc.constantFrom('a', '.') }),
    );
    fc.assert(
      fc.property(name, (text) => {
        const full = fullUnitName(text);
        assert.equal(full, unitName(text));
        if (full)
          assert.equal(decide(polkitRules([text]), UNITS, 'potion', { unit: full, verb: 'stop' }), 'yes');
      }),
      { numRuns: 500 },
    );
  });
});

// @ts-check
// What Potion's user may ask of systemd and logind, written down for polkit. Runs before anything is built.
import { spawnSync } from 'node:child_process';

/** What Potion's nodes ask of a unit, as polkit names it (`systemctl` and `self-heal`; systemd 252 to 255). */
const VERBS = ['start', 'stop', 'restart', 'reset-failed'];

// `-multiple-sessions` is what it is called while somebody is logged in, over SSH too. Never
// `-ignore-inhibit`: apt holds an inhibitor while it installs, and that must stay in the way.
const POWER = [
  'org.freedesktop.login1.reboot',
  'org.freedesktop.login1.reboot-multiple-sessions',
  'org.freedesktop.login1.power-off',
  'org.freedesktop.login1.power-off-multiple-sessions',
];

const UNIT_NAME =
  /^[A-Za-z0-9:_.\\@-]{1,249}\.(service|socket|timer|mount|automount|swap|target|path|slice|scope|device)$/;

/**
 * The full name of a unit; the same rule as unitName() of nodes/kit/config.ts, which a test compares.
 * @param {string} name
 * @returns {string | undefined} undefined for what is no unit name
 */
export function fullUnitName(name) {
  const unit = UNIT_NAME.test(name) ? name : `${name}.service`;
  const stem = unit.slice(0, unit.lastIndexOf('.'));
  const nameless = /^[.@]/.test(stem) || stem.endsWith('@') || /^-(?!\.(mount|slice)$)/.test(unit);
  return UNIT_NAME.test(unit) && unit.length < 256 && !nameless ? unit : undefined;
}

/**
 * Asks systemd for the names that polkit will be told: an alias (`sshd.service`) is asked about under its own
 * name (`ssh.service`). A unit that is not installed gets no right: systemd 257 and later ask polkit the very
 * same question for a transient unit of that name, and whoever may start one of those is root.
 * @param {readonly string[]} names as in SERVICES_WHITELIST
 * @returns {{ units: string[], missing: string[] }} both without doubles
 * @throws when a name is no unit name, or systemd can't be asked
 */
export function installedUnits(names) {
  /** @type {Set<string>} */
  const units = new Set();
  /** @type {Set<string>} */
  const missing = new Set();
  for (const name of names) {
    const unit = checked(name);
    const shown = spawnSync('systemctl', ['show', '--property=Id,LoadState', '--', unit], {
      encoding: 'utf8',
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
    });
    const id = /^Id=(.+)$/m.exec(shown.stdout ?? '')?.[1];
    const state = /^LoadState=(.+)$/m.exec(shown.stdout ?? '')?.[1];
    if (!id || !state)
      throw new Error(`systemd does not answer about ${unit}: ${shown.stderr ?? shown.error}`);
    if (state === 'not-found') missing.add(unit);
    else units.add(checked(id));
  }
  return { units: [...units], missing: [...missing] };
}

/**
 * The polkit rules (JavaScript, for polkit 0.106 and later) of the user `potion`: these units, Potion's verbs,
 * and power. Anything else of systemd is refused outright, even where another rule file would ask for a
 * password. An administrator's own file that sorts before this one is asked first, for more or for less.
 * @param {readonly string[]} units names as polkit sees them, see {@link installedUnits}
 * @returns {string} the text of /etc/polkit-1/rules.d/50-potion.rules
 * @throws when a name is no unit name
 */
export function polkitRules(units) {
  const names = [...new Set(units.map(checked))].sort();
  return `// What Potion may do without a password. Made from SERVICES_WHITELIST in /etc/potion/potion.env by
// "sudo /opt/potion/current/ops/install/install.sh --privileges", which overwrites changes made here.
polkit.addRule(function (action, subject) {
  if (subject.user != "potion") return;
  var units = ${list(names)};
  var verbs = ${list(VERBS)};
  var power = ${list(POWER)};
  if (power.indexOf(action.id) >= 0) return polkit.Result.YES;
  if (action.id.indexOf("org.freedesktop.systemd1.") != 0) return;
  if (action.id == "org.freedesktop.systemd1.manage-units" &&
      units.indexOf(action.lookup("unit")) >= 0 && verbs.indexOf(action.lookup("verb")) >= 0)
    return polkit.Result.YES;
  return polkit.Result.NO;
});
`;
}

/** @param {string} name */
function checked(name) {
  const unit = fullUnitName(name);
  if (!unit) throw new Error(`${JSON.stringify(name)} is not a unit name, e.g. nginx.service`);
  return unit;
}

/** @param {readonly string[]} names */
const list = (names) =>
  names.length > 0 ? `[\n    ${names.map((name) => JSON.stringify(name)).join(',\n    ')}\n  ]` : '[]';

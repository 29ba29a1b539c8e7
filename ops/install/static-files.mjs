// @ts-check
// What lies outside of Potion's own folders: units, polkit's rules, logrotate's file. All of it comes from one
// release, so that going back to another brings back what belongs to that.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PATHS, SERVICE } from './paths.mjs';
import { settingsNow, whitelist } from './settings.mjs';
import { InstallError, must, readIf, run, writeWhole } from './system.mjs';

/** @typedef {import('./talk.mjs').Talk} Talk */
/** @typedef {{ path: string, text: string }} StaticFile */

/**
 * @param {string} home Potion's code
 * @returns {StaticFile[]} units and logrotate's file
 */
function shipped(home) {
  const from = join(home, 'ops/install/files');
  const units = readdirSync(join(from, 'systemd')).sort();
  const logrotate = readIf(join(from, 'logrotate'));
  return [
    ...units.map((name) => ({
      path: join(PATHS.units, name),
      text: readFileSync(join(from, 'systemd', name), 'utf8'),
    })),
    ...(logrotate === undefined ? [] : [{ path: PATHS.logrotate, text: logrotate }]),
  ];
}

/**
 * Rules for the units of SERVICES_WHITELIST that are on this machine.
 * @param {Talk} talk
 * @param {string} home
 * @returns {Promise<StaticFile>}
 */
async function privileges(talk, home) {
  const url = pathToFileURL(join(home, 'ops/install/polkit.mjs')).href;
  const { installedUnits, polkitRules } = /** @type {typeof import('./polkit.mjs')} */ (await import(url));
  try {
    const { units, missing } = installedUnits(whitelist(settingsNow()));
    if (missing.length > 0) talk.say('unitsMissing', { units: missing.join(', ') });
    return { path: PATHS.polkit, text: polkitRules(units) };
  } catch (thrown) {
    throw new InstallError('badWhitelist', {}, /** @type {Error} */ (thrown).message);
  }
}

/**
 * Brings the rules alone up to date with SERVICES_WHITELIST.
 * @param {Talk} talk
 * @param {string} home
 */
export async function keepPrivileges(talk, home) {
  const file = await privileges(talk, home);
  const old = manifest();
  if (!old.includes(file.path)) remember(talk, [...old, file.path]);
  return write(talk, file);
}

/**
 * Brings files and their start at boot up to date. Starts and stops sockets and timers, but not Potion.
 * @param {Talk} talk
 * @param {string} home
 */
export async function keepStaticFiles(talk, home) {
  const files = [...shipped(home), await privileges(talk, home)];
  const paths = files.map(({ path }) => path);
  const gone = manifest().filter((path) => !paths.includes(path));
  // First: what is installed must be known, even if this ends in the middle.
  remember(talk, [...new Set([...manifest(), ...paths])]);
  for (const path of gone) await remove(talk, path);
  /** @type {Set<string>} */
  const changed = new Set();
  for (const file of files) if (await write(talk, file)) changed.add(basename(file.path));
  remember(talk, paths);

  const units = files.filter(({ path }) => dirname(path) === PATHS.units);
  if (!talk.dryRun && (gone.length > 0 || (await needsReload(units))))
    await must('systemctl', ['daemon-reload']);
  for (const { path, text } of units)
    if (/^\[Install\]$/m.test(text)) await enable(talk, basename(path), changed.has(basename(path)));
}

/** @param {readonly StaticFile[]} units */
async function needsReload(units) {
  for (const { path } of units) {
    // A template can't be asked; an instance that nobody has stands for it.
    const name = basename(path).replace('@.', '@0.');
    const { stdout } = await run('systemctl', [
      'show',
      '--value',
      '--property=NeedDaemonReload,LoadState',
      name,
    ]);
    if (/yes|not-found/.test(stdout)) return true;
  }
  return false;
}

/**
 * @param {Talk} talk
 * @param {string} unit
 * @param {boolean} isChanged
 */
async function enable(talk, unit, isChanged) {
  const enabled = (await run('systemctl', ['is-enabled', unit])).stdout.trim();
  if (enabled === 'masked') {
    talk.say('masked', { unit });
    return;
  }
  if (enabled !== 'enabled')
    await talk.change('enables', { unit }, () => must('systemctl', ['--quiet', 'enable', unit]));
  if (unit === SERVICE) return;
  const isActive = (await run('systemctl', ['is-active', '--quiet', unit])).code === 0;
  if (isActive && isChanged)
    await talk.change('restarts', { unit }, () => must('systemctl', ['restart', unit]));
  else if (!isActive) await talk.change('starts', { unit }, () => must('systemctl', ['start', unit]));
}

/**
 * @param {Talk} talk
 * @param {StaticFile} file
 * @returns {Promise<boolean>} whether it was changed
 */
async function write(talk, { path, text }) {
  if (readIf(path) === text && (statSync(path).mode & 0o777) === 0o644) return false;
  await talk.change('writes', { path }, () => {
    mkdirSync(dirname(path), { recursive: true });
    writeWhole(path, text, 0o644);
  });
  return true;
}

/**
 * @param {Talk} talk
 * @param {string} path
 */
async function remove(talk, path) {
  const unit = basename(path);
  if (dirname(path) === PATHS.units && existsSync(path))
    await run('systemctl', talk.dryRun ? ['--version'] : ['--quiet', 'disable', '--now', unit]);
  if (existsSync(path)) await talk.change('removes', { path }, () => rmSync(path));
}

/** @returns {string[]} what was installed */
export function manifest() {
  try {
    const paths = JSON.parse(readIf(PATHS.manifest) ?? '[]');
    return Array.isArray(paths) ? paths.filter((path) => typeof path === 'string') : [];
  } catch {
    return [];
  }
}

/**
 * @param {Talk} talk
 * @param {readonly string[]} paths
 */
function remember(talk, paths) {
  const text = `${JSON.stringify([...paths].sort(), null, 2)}\n`;
  if (!talk.dryRun && readIf(PATHS.manifest) !== text) writeWhole(PATHS.manifest, text, 0o644);
}

/**
 * Stops and removes everything of it, also what an interrupted installation has left.
 * @param {Talk} talk
 */
export async function removeStaticFiles(talk) {
  const own = /^potion(-[a-z-]+)?(@?)\.(service|socket|timer|path|target)$/;
  const known = readdirSync(PATHS.units).filter((name) => own.test(name) && manifest().length === 0);
  const paths = [
    ...new Set([
      ...manifest(),
      ...known.map((name) => join(PATHS.units, name)),
      PATHS.polkit,
      PATHS.logrotate,
    ]),
  ].filter((path) => existsSync(path));
  const units = paths.filter((path) => dirname(path) === PATHS.units).map((path) => basename(path));
  // What could start others goes first. A package that is being installed is waited for.
  const order = (/** @type {string} */ unit) => (/\.(socket|timer|path)$/.test(unit) ? 0 : 1);
  for (const unit of units.sort((a, b) => order(a) - order(b)))
    if (await isThere(unit))
      await talk.change('stops', { unit }, () => must('systemctl', ['stop', unit.replace('@.', '@*.')]));
  for (const unit of units)
    if ((await run('systemctl', ['is-enabled', unit])).stdout.trim() === 'enabled')
      await talk.change('disables', { unit }, () => must('systemctl', ['--quiet', 'disable', unit]));
  for (const path of paths) await talk.change('removes', { path }, () => rmSync(path));
  if (talk.dryRun) return;
  // Always: an earlier removal may have been cut short just before.
  await must('systemctl', ['daemon-reload']);
  await run('systemctl', ['reset-failed', 'potion*']);
  for (const name of readdirSync('/run'))
    if (own.test(`${name}.service`)) rmSync(`/run/${name}`, { recursive: true });
}

/** @param {string} unit */
async function isThere(unit) {
  const listed = await run('systemctl', ['list-units', '--plain', '--no-legend', unit.replace('@.', '@*.')]);
  return listed.stdout.trim() !== '';
}

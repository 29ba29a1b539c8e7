// @ts-check
// Where everything of an installed Potion lies.

const CODE = '/opt/potion';
const DATA = '/var/lib/potion';

export const PATHS = {
  code: CODE,
  releases: `${CODE}/releases`,
  /** Link to the release that runs. */
  current: `${CODE}/current`,
  /** Note on an upgrade that is under way; who finds it later brings the old version back. */
  underWay: `${CODE}/upgrade.json`,
  /** What came of the last upgrade; for everybody to read. */
  lastUpgrade: `${CODE}/last-upgrade.json`,
  /** Root's own clone, which new versions are fetched into. */
  source: `${CODE}/source`,
  /** Held by whoever works in that clone. */
  pullLock: `${CODE}/pull.lock`,
  /** The files outside of these folders that were installed. */
  manifest: `${CODE}/files.json`,
  settings: '/etc/potion',
  env: '/etc/potion/potion.env',
  /** Where new versions come from. */
  sourceConf: '/etc/potion/source.conf',
  data: DATA,
  flows: `${DATA}/flows`,
  health: `${DATA}/health`,
  database: `${DATA}/potion.db`,
  /** Copies of the database from before upgrades that may change it. */
  copies: `${DATA}/before-upgrade`,
  logs: '/var/log/potion',
  cache: '/var/cache/potion',
  units: '/etc/systemd/system',
  polkit: '/etc/polkit-1/rules.d/50-potion.rules',
  logrotate: '/etc/logrotate.d/potion',
};

export const USER = 'potion';
/** They may read logs and the journal. */
export const GROUPS = ['adm', 'systemd-journal'];
export const SERVICE = 'potion.service';

/** Releases that stay on the disk, the running one included. */
export const KEPT = 3;

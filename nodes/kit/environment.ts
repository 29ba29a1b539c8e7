import { isIP } from 'node:net';
import { isAbsolute, join, resolve } from 'node:path';
import { hostName } from './host-name.js';
import { parseQuantity } from './quantity.js';
import { parseQuiet, parseTimeOfDay, type QuietHours } from './time-of-day.js';
import { LANGUAGES, type Language } from './units.js';

/** What `.env` says, checked and typed. Paths are absolute. */
export interface Config {
  /** Telegram bot token; empty: the chat sandbox stands in. */
  botToken: string;
  /** Telegram user ids that may use Potion. */
  adminIds: readonly number[];
  /** Token of a bot that only tells the owner when Potion itself is down; empty: `botToken` does. */
  ownerBotToken: string;
  /** Whom it tells; empty: `adminIds`. */
  ownerIds: readonly number[];
  telegramApiUrl: string;
  dataDir: string;
  logDir: string;
  backupDir: string;
  /** Where the big disk should be mounted; empty: there is none. */
  hddMount: string;
  flowsDir: string;
  /** Units that Potion may start, stop and restart, and which it watches. */
  servicesWhitelist: readonly string[];
  serverName: string;
  lang: Language;
  /** Which programs may be run from the chat, and how; believed only when root wrote it. */
  scriptsFile: string;
  /** When what is not critical comes without a sound; undefined: never. */
  quietHours: QuietHours | undefined;
  /** Local time of day of the daily backup, `HH:MM`. */
  backupTime: string;
  port: number;
  /** Address the editor always listens on: a loopback one, or all. */
  editorBind: string;
  /** Where it opens as well as soon as this machine has that address; empty: nowhere. */
  editorOpensOn: 'tailscale' | (string & {});
  /** Tailnet users, in lower case, who need no password when they come over the tailnet. */
  editorLogins: readonly string[];
  editorUser: string;
  /** bcrypt hash, as printed by `npx node-red admin hash-pw`. */
  editorPasswordHash: string;
  /** Pinged each minute while Potion is healthy; empty: off. */
  heartbeatUrl: string;
  /** Hosts that `/ping` asks when none is named; `gateway` stands for the router. */
  pingFavorites: readonly string[];
  /** Services that answer with the address they are asked from, the next one asked when one fails. */
  publicIpUrls: readonly string[];
  logLevel: 'error' | 'warn' | 'info' | 'debug';
}

/** Every fault of an environment at once, each naming its variable. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      `These settings need mending (in .env):\n${problems.map((problem) => `  - ${problem}`).join('\n')}`,
    );
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

const LOOPBACK = '127.0.0.1';

type Environment = Readonly<Record<string, string | undefined>>;

/** A unit name as systemd accepts it, with its type at the end. */
const UNIT_NAME =
  /^[A-Za-z0-9:_.\\@-]{1,249}\.(service|socket|timer|mount|automount|swap|target|path|slice|scope|device)$/;

/**
 * The full name of a unit: what has no type is a service, `php8.2-fpm` too. A template without an instance
 * (`web@`) and what looks like an option name no unit.
 * @returns undefined when it is not a name that systemd would take
 */
export function unitName(name: string): string | undefined {
  const unit = UNIT_NAME.test(name) ? name : `${name}.service`;
  const stem = unit.slice(0, unit.lastIndexOf('.'));
  const nameless = /^[.@]/.test(stem) || stem.endsWith('@') || /^-(?!\.(mount|slice)$)/.test(unit);
  return UNIT_NAME.test(unit) && unit.length < 256 && !nameless ? unit : undefined;
}

/** Whether an address is this machine's own, which nobody else can reach. */
export function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || /^127(\.\d{1,3}){3}$/.test(address);
}

/** Whether nobody on the way can read or change what is asked there. */
function isPrivateUrl(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname } = new URL(address);
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
}

/**
 * This machine itself can always reach the editor: an address that comes and goes, as Tailscale's or one from
 * DHCP does, is opened beside loopback.
 */
function whereToListen(bind: string): Pick<Config, 'editorBind' | 'editorOpensOn'> {
  if (bind === 'loopback') return { editorBind: LOOPBACK, editorOpensOn: '' };
  // Both stand for every address there is, loopback too.
  if (isLoopback(bind) || ['0.0.0.0', '::'].includes(bind)) return { editorBind: bind, editorOpensOn: '' };
  return { editorBind: LOOPBACK, editorOpensOn: bind };
}

/**
 * Reads the environment. Names as in the requirements; `.env.example` documents each.
 * @param home folder that relative paths start from
 * @throws ConfigError naming every variable that is wrong
 */
export function readConfig(env: Environment, home: string): Config {
  const problems: string[] = [];
  const text = (name: string, fallback = '') => env[name]?.trim() || fallback;
  const fault = (name: string, why: string) => problems.push(`${name}: ${why}`);

  const path = (name: string, fallback: string, base = home) => {
    const value = text(name, fallback);
    return isAbsolute(value) ? value : resolve(base, value);
  };
  const oneOf = <T extends string>(name: string, allowed: readonly T[], fallback: T): T => {
    const value = text(name, fallback) as T;
    if (!allowed.includes(value)) fault(name, `"${value}" is not one of ${allowed.join(', ')}`);
    return value;
  };
  const url = (name: string, fallback = '', secret = false) => {
    const value = text(name, fallback);
    if (value && !(URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)))
      fault(name, `${secret ? 'its value' : `"${value}"`} is not an http(s) address`);
    return value.replace(/\/+$/, '');
  };
  const list = (name: string, fallback = '') =>
    text(name, fallback)
      .split(/[\s,]+/)
      .filter(Boolean);

  const token = (name: string) => {
    const value = text(name);
    if (value && !/^\d+:[\w-]{20,}$/.test(value))
      fault(name, 'does not look like a token from @BotFather (digits, a colon, 35 characters)');
    return value;
  };
  const userIds = (name: string) =>
    list(name).map((id) => {
      if (!/^[1-9]\d{0,15}$/.test(id)) fault(name, `"${id}" is not a Telegram user id (a whole number)`);
      return Number(id);
    });

  const servicesWhitelist = list('SERVICES_WHITELIST').map((name) => {
    const unit = unitName(name);
    if (!unit) fault('SERVICES_WHITELIST', `"${name}" is not a unit name, e.g. nginx.service`);
    return unit ?? name;
  });

  // Which thresholds there are is up to the alert nodes, which read these for themselves.
  for (const [name, value] of Object.entries(env))
    if (/^THRESHOLD_/.test(name) && value?.trim() && parseQuantity(value) === undefined)
      fault(name, `"${value}" is not a quantity such as 0.9, 90%, 500 MB or 85`);

  const pingFavorites = list('PING_FAVORITES', 'gateway 1.1.1.1 8.8.8.8');
  for (const host of pingFavorites)
    if (!hostName(host)) fault('PING_FAVORITES', `"${host}" is not "gateway", an address or a host name`);
  const publicIpUrls = list('PUBLIC_IP_URLS', 'https://api.ipify.org https://icanhazip.com');
  for (const address of publicIpUrls)
    if (!isPrivateUrl(address))
      fault('PUBLIC_IP_URLS', `"${address}" is not an https address, e.g. https://api.ipify.org`);

  const quietHours = parseQuiet(text('QUIET_HOURS'));
  if (text('QUIET_HOURS') && !quietHours)
    fault('QUIET_HOURS', `"${text('QUIET_HOURS')}" is not a span of the day such as 22:00-06:00`);
  const backupTime = parseTimeOfDay(text('BACKUP_TIME', '02:30'));
  if (!backupTime) fault('BACKUP_TIME', `"${text('BACKUP_TIME')}" is not a time of day such as 02:30`);

  const port = Number(text('POTION_PORT', '1880'));
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    fault('POTION_PORT', `"${text('POTION_PORT')}" is not a port (1 to 65535)`);

  const editorUser = text('EDITOR_USER', 'admin');
  const editorPasswordHash = text('EDITOR_PASSWORD_HASH');
  if (editorPasswordHash && !/^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/.test(editorPasswordHash))
    fault('EDITOR_PASSWORD_HASH', 'is not a bcrypt hash; make one with: npx node-red admin hash-pw');
  const editorLogins = list('EDITOR_LOGINS').map((login) => {
    if (!/^[^@*]+@[^@*]+$/.test(login))
      fault('EDITOR_LOGINS', `"${login}" is not a Tailscale login, e.g. you@example.com`);
    return login.toLowerCase();
  });
  const mayEnter = Boolean(editorPasswordHash || editorLogins.length > 0);
  const bind = text('EDITOR_BIND', mayEnter ? 'tailscale' : 'loopback');
  const { editorBind, editorOpensOn } = whereToListen(bind);
  if (!['loopback', 'tailscale', 'localhost'].includes(bind) && !isIP(bind))
    fault('EDITOR_BIND', `"${bind}" is not loopback, tailscale or an address such as 192.168.1.10`);
  else if (editorOpensOn === 'tailscale' && !mayEnter)
    fault('EDITOR_BIND', '"tailscale" is open to others: set EDITOR_LOGINS or EDITOR_PASSWORD_HASH first');
  else if (bind !== 'tailscale' && (editorOpensOn || !isLoopback(editorBind)) && !editorPasswordHash)
    fault('EDITOR_BIND', `"${bind}" is open to others: set EDITOR_PASSWORD_HASH first, or use loopback`);

  const dataDir = path('DATA_DIR', 'data');
  const config: Config = {
    botToken: token('BOT_TOKEN'),
    adminIds: userIds('ADMIN_IDS'),
    ownerBotToken: token('OWNER_BOT_TOKEN'),
    ownerIds: userIds('OWNER_IDS'),
    telegramApiUrl: url('TELEGRAM_API_URL', 'https://api.telegram.org'),
    dataDir,
    logDir: path('LOG_DIR', join(dataDir, 'logs')),
    backupDir: path('BACKUP_DIR', join(dataDir, 'backups')),
    hddMount: text('HDD_MOUNT') && path('HDD_MOUNT', ''),
    flowsDir: path('FLOWS_DIR', 'flows'),
    servicesWhitelist,
    scriptsFile: path('SCRIPTS_FILE', '/etc/potion/scripts.yaml'),
    serverName: text('SERVER_NAME', 'Potion'),
    lang: oneOf('POTION_LANG', LANGUAGES, 'id'),
    quietHours,
    backupTime: backupTime ?? '',
    port,
    editorBind,
    editorOpensOn,
    editorLogins,
    editorUser,
    editorPasswordHash,
    heartbeatUrl: url('HEARTBEAT_URL', '', true),
    pingFavorites,
    publicIpUrls,
    logLevel: oneOf('LOG_LEVEL', ['error', 'warn', 'info', 'debug'] as const, 'info'),
  };
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

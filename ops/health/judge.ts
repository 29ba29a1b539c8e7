import type { Findings } from './findings.js';

const MINUTE = 60_000;

/** What a message can be about; each has at most one open incident. */
export type Cause = 'potion' | 'token' | 'settings' | 'logs';

/** How bad it is: what grows worse is told at once. */
export const RANK = { gentle: 0, ailing: 1, down: 2, dead: 3 } as const;

/** What a look finds wrong. */
export interface Complaint {
  cause: Cause;
  /** Names the text `health.reason.<code>`. */
  code: string;
  /** Values for the text, plain JSON, never a secret. */
  data: Record<string, unknown>;
  /** One of RANK. */
  rank: number;
  /** Milliseconds that it must last before it is told; 0 tells it at the first look. */
  patience: number;
}

export interface Judgement {
  complaints: Complaint[];
  /** Of these nothing can be said now: neither that they are well nor that they are not. */
  unknown: Cause[];
}

/** While this young, the lock of an installation excuses an outage. */
const INSTALLING = 15 * MINUTE;
/** So many automatic restarts within RESTARTS_WITHIN are a crash loop, though Potion may answer at each look. */
const RESTARTS = 4;
export const RESTARTS_WITHIN = 30 * MINUTE;

const PATIENCE = {
  /** Two looks in a row: a start takes seconds, but 503 or silence may be chance once. */
  down: MINUTE,
  stopped: 15 * MINUTE,
  /** Somebody may be in the middle of editing. */
  settings: 10 * MINUTE,
  token: 10 * MINUTE,
  logs: 30 * MINUTE,
};

/** EX_CONFIG: only a person can mend it. */
const BROKEN = 78;

/**
 * Judges one look.
 * @param restarts automatic restarts seen within RESTARTS_WITHIN
 */
export function judge(findings: Findings, restarts: number): Judgement {
  const judgement: Judgement = { complaints: [], unknown: [] };
  const about = (cause: Cause, complaint: Complaint | 'unknown' | undefined) => {
    if (complaint === 'unknown') judgement.unknown.push(cause);
    else if (complaint) judgement.complaints.push(complaint);
  };
  const potion = ofPotion(findings, restarts);
  const wellEnough = potion === undefined;
  about('potion', potion);
  about('token', ofToken(findings));
  // While Potion is down its settings are one of the reasons that its message names.
  about('settings', wellEnough ? ofSettings(findings) : 'unknown');
  about('logs', ofLogs(findings));
  return judgement;
}

function ofPotion(findings: Findings, restarts: number): Complaint | 'unknown' | undefined {
  const { health, at, installing } = findings;
  const loops = restarts >= RESTARTS;
  const parts = ailingParts(findings);
  if (health.answer === 'ok' || parts?.length === 0)
    return loops ? looping(restarts, RANK.ailing) : undefined;
  if (installing !== undefined && Math.abs(at - installing) < INSTALLING) return 'unknown';
  if (parts) return potion('ailing', { parts }, 'ailing');
  return silent(findings, loops ? restarts : 0);
}

/** Potion does not answer: what systemd knows of it tells why. */
function silent({ health, unit }: Findings, restarts: number): Complaint {
  const detail = health.answer === 'none' ? health.detail : '';
  if (unit.load === 'unknown' || !('active' in unit)) return potion('silent', { detail }, 'down');
  const { load, active, sub, result, status } = unit;
  if (active === 'failed')
    return potion(status === BROKEN ? 'refuses' : 'failed', { result, status }, 'dead', 0);
  if (load === 'masked' || (active === 'inactive' && load === 'loaded' && result === 'success'))
    return potion('stopped', {}, 'gentle', PATIENCE.stopped);
  if (restarts > 0) return looping(restarts, RANK.down);
  if (active === 'activating')
    return sub === 'auto-restart'
      ? potion('restarting', { result, status }, 'down')
      : potion('starting', { detail }, 'down');
  if (load === 'not-found' || active === 'inactive') return potion('absent', { detail, load }, 'down');
  return potion('mute', { detail }, 'down');
}

function potion(
  code: string,
  data: Complaint['data'],
  rank: keyof typeof RANK,
  patience = PATIENCE.down,
): Complaint {
  return { cause: 'potion', code, data, rank: RANK[rank], patience };
}

/** The restarts themselves are more looks than two. */
function looping(restarts: number, rank: number): Complaint {
  const data = { restarts, minutes: RESTARTS_WITHIN / MINUTE };
  return { cause: 'potion', code: 'looping', data, rank, patience: 0 };
}

/**
 * What ails Potion by itself, undefined when it does not say. Where Telegram can't be reached from here either,
 * the part that talks to it is excused.
 */
function ailingParts({ health, api }: Findings): { name: string; why: string }[] | undefined {
  if (health.answer !== 'ailing') return undefined;
  const telegram = (api.find(({ bot }) => bot === 'potion') ?? api[0])?.answer ?? 'ok';
  const parts = Object.entries(health.parts).map(([name, why]) => ({ name, why }));
  if (parts.length === 0) return [{ name: 'potion', why: 'HTTP 503' }];
  return parts.filter(({ name }) => name !== 'telegram' || telegram === 'ok');
}

/** A refused bot can't tell it of itself, but the other one can. */
function ofToken({ api }: Findings): Complaint | 'unknown' | undefined {
  const refused = api.find(({ answer }) => answer === 'refused');
  if (refused && api.some(({ answer }) => answer === 'ok')) {
    const name = refused.bot === 'owner' ? 'OWNER_BOT_TOKEN' : 'BOT_TOKEN';
    const rank = refused.bot === 'owner' ? RANK.gentle : RANK.ailing;
    return { cause: 'token', code: 'token', data: { name }, rank, patience: PATIENCE.token };
  }
  return api.every(({ answer }) => answer === 'ok') ? undefined : 'unknown';
}

function ofSettings({ settings }: Findings): Complaint | undefined {
  if (settings.length === 0) return undefined;
  // A message can only show so much.
  const data = { problems: settings.slice(0, 5) };
  return { cause: 'settings', code: 'settings', data, rank: RANK.ailing, patience: PATIENCE.settings };
}

function ofLogs({ logs }: Findings): Complaint | undefined {
  if (!logs.problem) return undefined;
  const data = { problem: logs.problem, runtime: logs.runtime ?? 0, total: logs.total ?? 0 };
  return { cause: 'logs', code: 'logs', data, rank: RANK.gentle, patience: PATIENCE.logs };
}

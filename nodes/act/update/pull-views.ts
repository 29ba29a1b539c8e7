import { type PotionNews, sourceError } from '../../host/potion-news.js';
import type { UpgradeRecord } from '../../host/upgrade-record.js';
import type { Say } from '../../kit/messages.js';
import { button, type T } from './button.js';
import type { PullEnd } from './pull.js';
import type { PullJob } from './pull-job.js';

/** What a message has room for. */
const MOST_COMMITS = 12;
const MOST_NEWS = 12;
const LONGEST = 160;

/** What is new in Potion, and the button that brings it. */
export function newsView(news: PotionNews, t: T): Say {
  const { state, to, count, commits, news: lines } = news;
  const short = (text: string) =>
    text.length > LONGEST ? `${text.slice(0, LONGEST).toWellFormed()}…` : text;
  return {
    text: 'update.pull.news',
    data: {
      ...news,
      commits: commits.slice(0, MOST_COMMITS).map((one) => ({ ...one, subject: short(one.subject) })),
      more: Math.max(0, count - MOST_COMMITS),
      news: lines.slice(0, MOST_NEWS).map(short),
    },
    buttons: [
      ...(state === 'incoming'
        ? [[button(t, 'apply', `/git_apply ${to.commit}`, { version: to.version })]]
        : []),
      [button(t, 'check', '/git_pull'), button(t, 'back', '/update')],
    ],
  };
}

/** An upgrade of Potion has begun; what comes of it is told later, by the new Potion. */
export function begunView(commit: string, step = ''): Say {
  return { text: 'update.pull.begun', data: { commit, step } };
}

/** What came of it. */
export function endView(end: PullEnd, job: PullJob, t: T): Say {
  const buttons = [[button(t, 'pull', '/git_pull'), button(t, 'back', '/update')]];
  const dedupe = `pull ${job.startedAt}`;
  if (end.kind === 'lost') {
    const text = end.begun ? 'update.pull.cut-off' : 'update.pull.not-begun';
    return { text, data: { commit: job.commit }, buttons, dedupe };
  }
  const { record } = end;
  const data = { record, why: whyOf(record, t), again: record.from.commit === record.commit };
  return { text: `update.pull.${record.state}`, data, buttons, dedupe };
}

/** The reason in the reader's words. */
function whyOf({ state, reason = '', detail = '' }: UpgradeRecord, t: T): string {
  if (state !== 'refused') return [reason, detail].filter(Boolean).join('\n').slice(-1500).trim();
  const { text, data } = sourceError(reason, detail).cause;
  return `${t(`${text}.message`, data)}\n👉 ${t(`${text}.hint`, data)}`;
}

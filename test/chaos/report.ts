import type { Outcome } from './chaos.ts';

/** The figures of a run, and the story of each thing that went wrong. */
export function report({ seed, figures, longestRecovery, ...outcome }: Outcome): string {
  const f = figures;
  const rows: [string, string][] = [
    ['seed', String(seed)],
    ['kills (SIGKILL)', String(f.kills)],
    ['outages, answers cut off', `${f.outages}, ${f.cuts}`],
    ['messages due', String(f.due)],
    ['delivered', `${f.delivered} (digests of many: ${f.digests})`],
    ['lost', String(f.lost)],
    ['reordered', String(f.reordered)],
    [
      'duplicates',
      `${f.duplicates} (after a kill ${f.afterKill}, a cut answer ${f.afterCut}, an outage ${f.afterOutage}; without a reason ${f.unexplained})`,
    ],
    ['commands sent', `${f.commands} (updates delivered again: ${f.redelivered})`],
    ['acted', String(f.acted)],
    ['told of the crash instead', String(f.explained)],
    ['acted twice', String(f.actedTwice)],
    ['unanswered', String(f.unanswered)],
    ['longest recovery', `${(longestRecovery / 1000).toFixed(1)} s`],
    ['ended by itself', String(outcome.ownEnds.length)],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const others = [...outcome.others].map(([text, count]) => `  ${count} × ${text}`);
  return [
    ...rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`),
    ...(others.length > 0 ? ['also said:', ...others] : []),
    ...outcome.leftBehind.map((what) => `\nwrong: ${what}`),
    ...outcome.ownEnds.map((what) => `\nwrong: ${what}`),
    ...outcome.verdict.violations.slice(outcome.stories.length).map(({ what }) => `\nwrong: ${what}`),
    ...outcome.stories.map((story) => `\nwrong: ${story}`),
    ...(outcome.folder ? [`\nits files are in ${outcome.folder}`] : []),
  ].join('\n');
}

import { type PackagesState, packagesState } from '../../host/npm-packages.js';
import { sealedCommit } from '../../host/sealed-release.js';
import type { Say } from '../../kit/messages.js';
import { button, type T } from './button.js';

/** Whether the packages that Potion runs with are those of its lock file. */
export interface PackagesCheck extends PackagesState {
  ok: boolean;
  /** That this release was built from; absent where Potion runs from a clone. */
  commit?: string;
}

const MOST = 15;

export async function packagesCheck(home: string): Promise<PackagesCheck> {
  const [state, commit] = await Promise.all([packagesState(home), sealedCommit(home)]);
  const ok = state.missing.length + state.different.length + state.extra.length === 0;
  return { ...state, ok, ...(commit ? { commit } : {}) };
}

export function packagesView(check: PackagesCheck, t: T): Say {
  const { ok, good, missing, different, extra, commit } = check;
  const lines = [
    ...missing.map((path) => t('update.packages.missing', { path: short(path) })),
    ...different.map(({ path, ...versions }) =>
      t('update.packages.different', { path: short(path), ...versions }),
    ),
    ...extra.map((path) => t('update.packages.extra', { path: short(path) })),
  ];
  const more = Math.max(0, lines.length - MOST);
  const canRepair = !ok && commit !== undefined;
  return {
    text: 'update.packages.state',
    data: { ok, good, lines: lines.slice(0, MOST), more, count: lines.length, canRepair },
    buttons: [
      ...(canRepair ? [[button(t, 'repair', '/npm_repair')]] : []),
      [button(t, 'check', '/npm_sync'), button(t, 'back', '/update')],
    ],
  };
}

const short = (path: string) => path.replace(/^node_modules\//, '').replaceAll('/node_modules/', ' › ');

import type { Language } from '../../../nodes/kit/locale.js';
import type { State } from './state.js';
import type { Outcome, Rollback } from './worktree.js';

/** The first lines that the commands answer with. */
interface Sayings {
  outcome(outcome: Outcome): string;
  rolledBack(rollback: Rollback): string;
  state(state: State): string;
}

const short = (commit: string | undefined) => (commit ?? '').slice(0, 10);

export const SAYINGS: Record<Language, Sayings> = {
  id: {
    outcome: (outcome) =>
      ({
        created: 'Flow bawaan Potion sudah ada di foldermu.',
        'taken-in':
          'Flow yang sudah ada sekarang disimpan di git, tidak ada yang diubah. Beda flow bawaan dari punyamu:',
        merged: `Flow baru dari Potion sudah digabung dengan punyamu (${short(outcome.after)}). Balik ke sebelumnya: rollback ${short(outcome.before)}`,
        unchanged: 'Flow-mu sudah yang terbaru, tidak ada yang diubah.',
      })[outcome.how],
    rolledBack: ({ changed, after, rescue }) =>
      changed
        ? `Flow sudah kembali ke ${short(after)}. Yang tadi disimpan di branch ${rescue}.`
        : `Flow memang sudah di ${short(after)}, tidak ada yang diubah.`,
    state: ({ branch, head, version, uncommitted, rescued }) =>
      [
        `Branch ${branch || '(lepas)'} di ${short(head)}; flow bawaan terakhir: ${version ?? 'tidak diketahui'}`,
        ...(uncommitted.length > 0 ? [`Belum di-commit: ${uncommitted.join(', ')}`] : []),
        ...(rescued.length > 0 ? [`Tersimpan sebelum kembali: ${rescued.join(', ')}`] : []),
      ].join('\n'),
  },
  'en-US': {
    outcome: (outcome) =>
      ({
        created: "Potion's flows are in your folder now.",
        'taken-in':
          'The flows that were there are under git now, nothing was changed. How the shipped ones differ from yours:',
        merged: `Potion's new flows were merged with yours (${short(outcome.after)}). To go back: rollback ${short(outcome.before)}`,
        unchanged: 'Your flows are up to date, nothing was changed.',
      })[outcome.how],
    rolledBack: ({ changed, after, rescue }) =>
      changed
        ? `The flows are back at ${short(after)}. What was there is kept on the branch ${rescue}.`
        : `The flows are at ${short(after)} already, nothing was changed.`,
    state: ({ branch, head, version, uncommitted, rescued }) =>
      [
        `Branch ${branch || '(detached)'} at ${short(head)}; last shipped flows: ${version ?? 'unknown'}`,
        ...(uncommitted.length > 0 ? [`Not committed: ${uncommitted.join(', ')}`] : []),
        ...(rescued.length > 0 ? [`Kept before going back: ${rescued.join(', ')}`] : []),
      ].join('\n'),
  },
};

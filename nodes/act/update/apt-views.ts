import type { HelperProgress } from '../../host/helper-protocol.js';
import type { Button, Say } from '../../kit/messages.js';
import type { AptOffer } from './apt-offer.js';
import type { AptAftermath, AptResult } from './apt-upgrade.js';
import { button, type T } from './button.js';

/** Names that a message has room for. */
const MOST_NAMES = 100;
/** Security updates that are shown with their versions. */
const MOST_VERSIONS = 20;

/** What could be upgraded, and the button that does. */
export function offerView(offer: AptOffer, t: T, canReboot: boolean): Say {
  const { packages, security, kept, bytes = null, reboot, stale } = offer;
  const safe = packages.slice(0, security);
  const others = packages.slice(security);
  const shown = safe.slice(0, MOST_VERSIONS);
  const names = [...safe.slice(MOST_VERSIONS), ...others].map(({ name }) => name);
  return {
    text: 'update.apt.offer',
    data: {
      count: packages.length,
      security,
      shown,
      names: names.slice(0, MOST_NAMES).join(', '),
      more: Math.max(0, names.length - MOST_NAMES),
      kept: kept.join(', '),
      bytes,
      reboot,
      stale: stale ? t(`${stale.text}.message`, stale.data) : '',
    },
    buttons: [
      packages.length > 0 ? [button(t, 'upgrade', '/apt_upgrade')] : [],
      reboot.needed && canReboot ? [button(t, 'reboot', '/reboot')] : [],
      [button(t, 'refresh', '/apt_update'), button(t, 'back', '/update')],
    ].filter((row) => row.length > 0),
  };
}

/** How far an upgrade is; more will follow. */
export function progressView({ phase, ratio, text }: HelperProgress, seconds: number): Say {
  return {
    text: 'update.apt.progress',
    data: { phase, ratio, item: itemOf(text), seconds },
    interim: true,
  };
}

/** What is being done, in few words: a package, or the number of a file. Texts of apt under LC_ALL=C. */
export function itemOf(text: string): string {
  const [, file, of] = /^Retrieving file (\d+) of (\d+)/.exec(text) ?? [];
  if (file && of) return `${file}/${of}`;
  const [, name] =
    /^(?:Preparing(?: to \w+)?|Unpacking|Configuring|Installing|Installed|Removing|Removed|Running post-installation trigger) (\S+)/.exec(
      text,
    ) ?? [];
  return name ?? '';
}

/** What came of an upgrade. */
export function resultView(result: AptResult, t: T, canReboot: boolean): Say {
  return { text: 'update.apt.done', data: { ...result }, buttons: after(result, t, canReboot) };
}

/** What came of one that was not watched to its end. */
export function aftermathView(result: AptAftermath, t: T, canReboot: boolean): Say {
  const { fate, startedAt } = result;
  const ok = fate.kind === 'done' || fate.kind === 'nothing';
  return {
    text: `update.apt.${fate.kind}-unwatched`,
    data: { fate, startedAt, reboot: result.reboot },
    buttons: after(result, t, canReboot),
    dedupe: `apt ${startedAt}`,
    ...(ok ? {} : { outcome: 'FAILED' }),
  };
}

function after({ reboot }: Pick<AptResult, 'reboot'>, t: T, canReboot: boolean): Button[][] {
  const last = [button(t, 'again', '/apt_update'), button(t, 'back', '/update')];
  return reboot.needed && canReboot ? [[button(t, 'reboot', '/reboot')], last] : [last];
}

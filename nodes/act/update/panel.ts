import { ownRelease, type Release } from '../../host/own-release.js';
import { type RebootNeed, rebootNeed } from '../../host/reboot-required.js';
import type { Say } from '../../kit/messages.js';
import { button, type T } from './button.js';

/** What stands on the panel. */
export interface PanelFacts {
  potion: Release;
  reboot: RebootNeed;
}

export async function panelFacts(): Promise<PanelFacts> {
  return { potion: ownRelease(), reboot: await rebootNeed() };
}

/** What can be brought up to date. */
export function panelView(facts: PanelFacts, t: T, canReboot: boolean): Say {
  return {
    text: 'update.panel',
    data: { ...facts },
    buttons: [
      [button(t, 'apt', '/apt_update')],
      [button(t, 'pull', '/git_pull'), button(t, 'packages', '/npm_sync')],
      ...(facts.reboot.needed && canReboot ? [[button(t, 'reboot', '/reboot')]] : []),
    ],
  };
}

import { type RebootNeed, rebootNeed } from '../../host/reboot-required.js';

/** What stands on the panel. */
export interface PanelFacts {
  reboot: RebootNeed;
}

export async function panelFacts(): Promise<PanelFacts> {
  return { reboot: await rebootNeed() };
}

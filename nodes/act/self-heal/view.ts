import type { UnitState } from '../../host/unit-state.js';

/** What a unit's state means to self-heal: `off` is down with nothing wrong, `busy` on its way somewhere. */
export type Sight = 'up' | 'failed' | 'busy' | 'off';

/**
 * Why a failed unit is not restarted.
 *
 * admin       an admin stopped it through Potion
 * masked      made unstartable on purpose
 * missing     its unit file is gone
 * oneshot     a job that runs and ends: repeating it may do harm, and its next run may be planned
 * broken      its unit file can't be used
 * own         it is Potion itself
 * not-listed  it is not in SERVICES_WHITELIST
 */
export type Exemption = 'admin' | 'masked' | 'missing' | 'oneshot' | 'broken' | 'own' | 'not-listed';

export interface View {
  sight: Sight;
  exempt?: Exemption;
  /** systemd refuses to start it until the failure is reset. */
  limitHit: boolean;
  /** systemd itself brings it up again (Restart=). */
  auto: boolean;
}

export interface Circumstances {
  whitelist: readonly string[];
  /** Potion's own unit, if it runs in one. */
  ownUnit: string | undefined;
  /** An admin has stopped the unit through Potion and not started it since. */
  stoppedByAdmin: boolean;
  /** A unit that ran and ended without an error counts as failed too. */
  healEnded: boolean;
}

/** Judges a unit's state. */
export function viewOf(state: UnitState, around: Circumstances): View {
  return {
    sight: sightOf(state, around),
    exempt: exemptionOf(state, around),
    limitHit: state.condition === 'start-limit-hit',
    auto: state.condition === 'auto-restart',
  };
}

function sightOf(state: UnitState, { healEnded, stoppedByAdmin }: Circumstances): Sight {
  switch (state.condition) {
    case 'active':
    case 'exited':
    case 'reloading':
      return 'up';
    case 'auto-restart':
    case 'activating':
    case 'deactivating':
      return 'busy';
    case 'failed':
    case 'start-limit-hit':
      return 'failed';
    case 'missing':
    case 'masked':
      return state.active === 'failed' ? 'failed' : 'off';
    case 'inactive': {
      const ended = state.invocation !== '' && state.conditionMet && state.type !== 'oneshot';
      return healEnded && ended && !stoppedByAdmin ? 'failed' : 'off';
    }
  }
}

function exemptionOf(state: UnitState, around: Circumstances): Exemption | undefined {
  if (around.stoppedByAdmin) return 'admin';
  if (state.condition === 'missing' || state.load === 'not-found') return 'missing';
  if (state.condition === 'masked' || state.load === 'masked') return 'masked';
  if (state.unit === around.ownUnit || state.id === around.ownUnit) return 'own';
  if (!around.whitelist.includes(state.unit)) return 'not-listed';
  if (state.type === 'oneshot') return 'oneshot';
  if (state.problem !== '' || state.load === 'bad-setting' || state.load === 'error') return 'broken';
  return undefined;
}

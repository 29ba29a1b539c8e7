import assert from 'node:assert/strict';
import { type Action, type Event, type Heal, IDLE } from '../../nodes/act/self-heal/heal.js';
import type { Limits } from '../../nodes/act/self-heal/limits.js';
import { decide } from '../../nodes/act/self-heal/policy.js';
import type { View } from '../../nodes/act/self-heal/view.js';

export const LIMITS: Limits = {
  tries: 3,
  window: 1_800_000,
  backoff: 5_000,
  growth: 3,
  longestWait: 300_000,
  stable: 30_000,
  patience: 120_000,
  coolDown: 1_800_000,
};

export const view = (sight: View['sight'], more: Partial<View> = {}): View => ({
  sight,
  limitHit: false,
  auto: false,
  ...more,
});
export const UP = view('up');
export const FAILED = view('failed');
export const OFF = view('off');
export const STARTING = view('busy');
export const AUTO = view('busy', { auto: true });

/** A unit's story, told line by line: at a second, something happens; then what self-heal does. */
export class Story {
  heal: Heal = IDLE;
  readonly told: string[] = [];
  readonly tellings: Extract<Action, { do: 'tell' }>[] = [];
  now = 0;

  at(second: number, event: Event): string[] {
    this.now = second * 1000;
    const { heal, actions } = decide(this.heal, event, this.now, LIMITS);
    this.heal = JSON.parse(JSON.stringify(heal));
    for (const action of actions) if (action.do === 'tell') this.tellings.push(action);
    return actions.map(inWords);
  }

  seen(second: number, what: View): string[] {
    return this.at(second, { type: 'seen', view: what });
  }

  ended(second: number, what: View, failed = false): string[] {
    return this.at(second, { type: 'outcome', view: what, failed });
  }

  /** Lets the phase run out while the unit is seen like this. */
  out(what: View): string[] {
    assert.ok(this.heal.until !== undefined, `${this.heal.phase} never runs out`);
    return this.at(this.heal.until / 1000, { type: 'due', view: what });
  }
}

function inWords(action: Action): string {
  if (action.do === 'restart') return action.resetFailed ? 'reset-failed, restart' : 'restart';
  const reason = action.reason ? ` (${action.reason})` : '';
  return `${action.step} ${action.try}${reason}`;
}

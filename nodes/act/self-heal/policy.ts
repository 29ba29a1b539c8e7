import {
  type Action,
  atPresent,
  type Decision,
  type Episode,
  type Event,
  type Heal,
  isOver,
  type LeftAlone,
  type Phase,
  type Step,
  type Surrender,
  type Telling,
} from './heal.js';
import { type Limits, waitBefore } from './limits.js';
import type { View } from './view.js';

/** The next state of a unit and what is to be done. The state has to be kept before anything is done. */
export function decide(heal: Heal, event: Event, now: number, limits: Limits): Decision {
  const counted = atPresent(heal, now, limits);
  const step = new Turn(counted, now, limits);
  switch (event.type) {
    case 'seen':
      return heal.phase === 'trying' ? stay(counted) : step.seen(event.view);
    case 'due':
      return heal.phase === 'trying' ? step.outcome(event.view, true) : step.due(event.view);
    case 'outcome':
      return heal.phase === 'trying' ? step.outcome(event.view, event.failed) : step.seen(event.view);
    case 'refused':
      return heal.phase === 'trying' ? step.giveUp('refused') : stay(counted);
    case 'retry':
      return step.retry(event.view);
  }
}

const stay = (heal: Heal): Decision => ({ heal, actions: [] });

/** One decision: the state it starts from, the time and the limits. */
class Turn {
  readonly #heal: Heal;
  readonly #now: number;
  readonly #limits: Limits;

  constructor(heal: Heal, now: number, limits: Limits) {
    this.#heal = heal;
    this.#now = now;
    this.#limits = limits;
  }

  seen(view: View): Decision {
    switch (view.sight) {
      case 'up':
        return this.#up();
      case 'busy':
        return this.#busy(view);
      case 'off':
        return this.#off(view);
      case 'failed':
        return this.#failed(view);
    }
  }

  due(view: View): Decision {
    const { phase } = this.#heal;
    if (phase === 'proving' && view.sight === 'up') return this.#healed();
    if (phase === 'settling' && view.sight === 'busy') return this.giveUp(view.auto ? 'flapping' : 'slow');
    if (phase === 'waiting' && view.sight === 'failed')
      return view.exempt ? this.#leave(view.exempt, view) : this.#try(view);
    if (phase === 'gave-up') return this.#halfOpen(view);
    return this.seen(view);
  }

  outcome(view: View, failed: boolean): Decision {
    if (view.sight === 'off' && failed && !view.exempt) return this.#nextTry(view);
    return this.seen(view);
  }

  retry(view: View): Decision {
    const { episode } = this.#heal;
    if (this.#heal.phase === 'trying' || view.sight !== 'failed' || view.exempt) return this.seen(view);
    const fresh = {
      ...this.#heal,
      restarts: [],
      episode: episode && { ...episode, tries: 0, gaveUp: undefined },
    };
    return new Turn(fresh, this.#now, this.#limits).#try(view);
  }

  giveUp(reason: Surrender): Decision {
    const { coolDown } = this.#limits;
    const episode = this.#episode();
    const again = episode.gaveUp !== undefined;
    const until = coolDown > 0 ? this.#now + coolDown : undefined;
    const heal = this.#to('gave-up', until, { ...episode, gaveUp: episode.gaveUp ?? this.#now });
    return this.#tell(heal, again ? 'still-down' : 'gave-up', { reason, nextTryAt: until });
  }

  #up(): Decision {
    const { phase, episode } = this.#heal;
    switch (phase) {
      case 'idle':
      case 'proving':
        return stay(this.#heal);
      case 'left':
        return episode ? this.#healed() : stay(this.#to('idle'));
      default:
        return stay({
          ...this.#to('proving', this.#now + this.#limits.stable),
          settleBy: this.#heal.settleBy,
        });
    }
  }

  #busy(view: View): Decision {
    const end = this.#now + this.#limits.patience;
    const { phase, settleBy = end } = this.#heal;
    const ours = phase === 'trying' || phase === 'proving' || phase === 'waiting';
    if (!(ours || (phase === 'idle' && view.auto && !view.exempt))) return stay(this.#heal);
    // Only coming back again and again is measured from the first time.
    const until = view.auto ? Math.max(settleBy, this.#now) : end;
    return stay({ ...this.#to('settling', until), settleBy });
  }

  #off(view: View): Decision {
    const { phase, episode } = this.#heal;
    if (!episode) return stay(this.#to('idle'));
    const wanted = view.exempt && isOver(view.exempt) ? view.exempt : undefined;
    if (phase === 'left' && !wanted) return this.#healed();
    return this.#leave(wanted ?? 'stopped', view);
  }

  #failed(view: View): Decision {
    const { phase, left } = this.#heal;
    if (phase === 'left' && left === view.exempt) return stay(this.#heal);
    if (view.exempt) return this.#leave(view.exempt, view);
    if (phase === 'waiting' || phase === 'gave-up') return stay(this.#heal);
    return this.#nextTry(view);
  }

  #nextTry(view: View): Decision {
    const episode = this.#episode();
    if (episode.gaveUp !== undefined) return this.giveUp('budget');
    if (episode.tries >= this.#limits.tries || this.#spent()) return this.giveUp('budget');
    const wait = waitBefore(episode.tries, this.#limits);
    if (wait === 0) return this.#try(view);
    const until = this.#now + wait;
    return this.#tell(this.#to('waiting', until, episode), 'trying', { nextTryAt: until });
  }

  #halfOpen(view: View): Decision {
    if (view.sight === 'busy') return stay({ ...this.#heal, until: this.#now + this.#limits.coolDown });
    if (view.sight !== 'failed') return this.seen(view);
    if (view.exempt) return this.#leave(view.exempt, view);
    if (!this.#spent()) return this.#try(view);
    return stay({ ...this.#heal, until: (this.#heal.restarts[0] ?? this.#now) + this.#limits.window });
  }

  #try(view: View): Decision {
    const before = this.#episode();
    if (this.#spent()) return this.giveUp('budget');
    const episode = { ...before, tries: before.tries + 1 };
    // A restart that never ends is taken for failed once systemd's time is over as well.
    const heal = this.#to('trying', this.#now + 2 * this.#limits.patience, episode);
    const restarts = [...heal.restarts, this.#now];
    const order: Action = { do: 'restart', resetFailed: view.limitHit };
    // After a wait this try has been announced already.
    if (this.#heal.phase === 'waiting') return { heal: { ...heal, restarts }, actions: [order] };
    const { heal: told, actions } = this.#tell({ ...heal, restarts }, 'trying', { nextTryAt: this.#now });
    return { heal: told, actions: [order, ...actions] };
  }

  #healed(): Decision {
    const { episode } = this.#heal;
    const heal = this.#to('idle');
    const proven = this.#heal.phase === 'proving';
    return episode ? this.#tell({ ...heal, episode }, 'healed', { proven }, true) : stay(heal);
  }

  #leave(reason: LeftAlone, view: View): Decision {
    const over = isOver(reason) || view.sight === 'off';
    const phase = view.sight === 'off' ? 'idle' : 'left';
    const heal = {
      ...this.#to(phase, undefined, this.#episode()),
      left: phase === 'left' ? reason : undefined,
    };
    return this.#tell(heal, 'left-alone', { reason }, over);
  }

  #tell(
    heal: Heal,
    step: Step,
    more: Pick<Telling, 'reason' | 'nextTryAt' | 'proven'>,
    over = false,
  ): Decision {
    const episode = heal.episode ?? this.#episode();
    const number = episode.told + 1;
    const tries = step === 'trying' && heal.phase === 'waiting' ? episode.tries + 1 : episode.tries;
    const telling: Telling = { step, episode, number, try: tries, at: this.#now, ...more };
    return {
      heal: { ...heal, episode: over ? undefined : { ...episode, told: number } },
      actions: [{ do: 'tell', ...telling }],
    };
  }

  #to(phase: Phase, until?: number, episode = this.#heal.episode): Heal {
    return { phase, until, restarts: this.#heal.restarts, episode: phase === 'idle' ? undefined : episode };
  }

  #episode(): Episode {
    return this.#heal.episode ?? { since: this.#now, tries: 0, told: 0 };
  }

  #spent(): boolean {
    return this.#heal.restarts.length >= this.#limits.tries;
  }
}

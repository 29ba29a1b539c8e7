import { PotionError } from '../kit/errors.js';
import { BusError } from './dbus.js';
import type { UnitState } from './unit-state.js';

/** What Potion may do to a unit, in systemd's and polkit's words. */
export type Verb = 'start' | 'stop' | 'restart' | 'reset-failed';

/**
 * Why systemd did not accept a call, as Potion's error.
 * Names: systemd's src/libsystemd/sd-bus/bus-common-errors.h and the D-Bus Specification.
 */
export function refusal(thrown: unknown, unit: string, verb: Verb): unknown {
  if (!(thrown instanceof BusError)) return thrown;
  const facts = { unit, verb };
  const as = (code: PotionError['code'], text: string) => new PotionError(code, text, facts, thrown);
  switch (thrown.errorName.replace(/^org\.freedesktop\.(systemd1|DBus\.Error)\./, '')) {
    case 'AccessDenied':
    case 'InteractiveAuthorizationRequired':
      return as('DENIED', 'errors.unit-denied');
    case 'NoSuchUnit':
      return as('NOT_FOUND', 'errors.unit-missing');
    case 'UnitMasked':
      return as('FAILED', 'errors.unit-masked');
    case 'LoadFailed':
    case 'BadUnitSetting':
    case 'UnitError':
      return as('FAILED', 'errors.unit-broken');
    case 'OnlyByDependency':
      return as('DENIED', 'errors.unit-only-by-dependency');
    case 'JobTypeNotApplicable':
    case 'InvalidArgs':
      return as('INVALID', 'errors.unit-refused');
    case 'TransactionIsDestructive':
    case 'TransactionJobsConflicting':
    case 'ShuttingDown':
      return as('BUSY', 'errors.unit-conflict');
    case 'ServiceUnknown':
    case 'NameHasNoOwner':
    case 'NoReply':
    case 'Disconnected':
      return as('UNAVAILABLE', 'errors.no-systemd');
    case 'LimitsExceeded':
      return as('LIMITED', 'errors.unit-refused');
    default:
      return as('FAILED', 'errors.unit-refused');
  }
}

/** Why a job that systemd had accepted did not do what it was to do. Results: systemd's JobRemoved signal. */
export function jobFailure(result: string, verb: Verb, state: UnitState): PotionError {
  const facts = {
    unit: state.unit,
    verb,
    job: result,
    condition: state.condition,
    result: state.result,
    status: state.execMainStatus,
  };
  switch (result) {
    case 'canceled':
      return new PotionError('CANCELLED', 'errors.unit-job-canceled', facts);
    case 'timeout':
      return new PotionError('TIMEOUT', 'errors.unit-job-timeout', facts);
    case 'dependency':
      return new PotionError('FAILED', 'errors.unit-job-dependency', facts);
    default:
      if (verb !== 'stop' && state.condition === 'start-limit-hit')
        return new PotionError('FAILED', 'errors.unit-start-limit', facts);
      if (state.result === 'timeout') return new PotionError('TIMEOUT', 'errors.unit-job-timeout', facts);
      return new PotionError('FAILED', 'errors.unit-job-failed', facts);
  }
}

import { PotionError } from '../kit/errors.js';
import { Bus, BusError } from './dbus.js';

/** `challenge`: only with a password, which for Potion is a no. `na`: this machine can't. */
export type MayPower = 'yes' | 'no' | 'challenge' | 'na';

export interface PowerOptions {
  /** D-Bus address. Default: the system bus. */
  address?: string;
}

const LOGIND = {
  destination: 'org.freedesktop.login1',
  path: '/org/freedesktop/login1',
  interface: 'org.freedesktop.login1.Manager',
};

/** A program that wants the machine to stay on, e.g. apt while it installs. */
interface Inhibitor {
  who: string;
  why: string;
}

/**
 * Reboots the machine the orderly way. Resolves when logind has begun, seconds before it happens.
 * @throws PotionError DENIED (polkit), BUSY (a program such as apt must not be interrupted, or it has begun
 *   already), UNAVAILABLE (no logind), TIMEOUT
 */
export function reboot(options?: PowerOptions): Promise<void> {
  return power('Reboot', options);
}

/** Switches the machine off the orderly way; see {@link reboot}. */
export function powerOff(options?: PowerOptions): Promise<void> {
  return power('PowerOff', options);
}

/**
 * Looks whether {@link reboot} or {@link powerOff} would be let through now.
 * @throws PotionError as they would throw it
 */
export function checkPower(what: 'reboot' | 'power-off', options?: PowerOptions): Promise<void> {
  const member = what === 'reboot' ? 'CanReboot' : 'CanPowerOff';
  return onBus(options, async (bus) => {
    const answer = await bus.call({ ...LOGIND, member }, ([may]) => may as MayPower).catch(explain);
    const blocker = await blockerOf(bus);
    if (blocker) throw new PotionError('BUSY', 'errors.power-inhibited', { ...blocker });
    if (answer === 'na') throw new PotionError('UNAVAILABLE', 'errors.power-refused', { detail: answer });
    if (answer !== 'yes') throw new PotionError('DENIED', 'errors.power-denied');
  });
}

/** Whether {@link reboot} would be let through. @throws PotionError UNAVAILABLE, TIMEOUT */
export function canReboot(options?: PowerOptions): Promise<MayPower> {
  return onBus(options, (bus) =>
    bus.call({ ...LOGIND, member: 'CanReboot' }, ([answer]) => answer as MayPower).catch(explain),
  );
}

function power(member: 'Reboot' | 'PowerOff', options?: PowerOptions): Promise<void> {
  return onBus(options, async (bus) => {
    try {
      // false: ask nobody for a password.
      await bus.call({ ...LOGIND, member, signature: 'b', args: [false] });
    } catch (thrown) {
      // The bus is among what a shutdown ends, at times before the answer is through.
      if (thrown instanceof PotionError && thrown.cause.text === 'errors.bus-lost') return;
      // systemd before 257 says "denied" for both.
      const blocker = isDenied(thrown) ? await blockerOf(bus) : undefined;
      if (blocker) throw new PotionError('BUSY', 'errors.power-inhibited', { ...blocker }, thrown);
      explain(thrown);
    }
  });
}

async function onBus<T>(options: PowerOptions = {}, work: (bus: Bus) => Promise<T>): Promise<T> {
  const bus = await Bus.open({ address: options.address });
  try {
    return await work(bus);
  } finally {
    bus.close();
  }
}

function isDenied(thrown: unknown): boolean {
  return (
    thrown instanceof BusError &&
    /\.(AccessDenied|InteractiveAuthorizationRequired|BlockedByInhibitorLock)$/.test(thrown.errorName)
  );
}

/** Who blocks a shutdown: of a(ssssuu) what, who, why, mode. */
async function blockerOf(bus: Bus): Promise<Inhibitor | undefined> {
  const all = await bus
    .call({ ...LOGIND, member: 'ListInhibitors' }, ([list]) => list as string[][])
    .catch(() => []);
  const [, who, why] =
    all.find(([what = '', , , mode = '']) => what.split(':').includes('shutdown') && /^block/.test(mode)) ??
    [];
  return who === undefined ? undefined : { who, why: why ?? '' };
}

function explain(thrown: unknown): never {
  if (!(thrown instanceof BusError)) throw thrown;
  const as = (code: PotionError['code'], text: string) => new PotionError(code, text, {}, thrown);
  if (isDenied(thrown)) throw as('DENIED', 'errors.power-denied');
  if (/\.OperationInProgress$/.test(thrown.errorName)) throw as('BUSY', 'errors.power-under-way');
  if (/\.(ServiceUnknown|NameHasNoOwner|NoReply|Spawn\.\w+)$/.test(thrown.errorName))
    throw as('UNAVAILABLE', 'errors.no-logind');
  throw as('FAILED', 'errors.power-refused');
}

import type { Config } from '../../../nodes/kit/config.js';
import { localToken } from '../local-token.js';
import { Door } from './door.js';
import { onlyThroughDoor, PAGE_SCRIPT } from './gate.js';

let door: Door | undefined;

/** Hangs the one door of this process, and says what Node-RED's settings must know of it. */
export function hangDoor(config: Config, warn: (text: string) => void) {
  const own = new Door(config, {
    localUser: localToken(config.dataDir),
    warn,
    ticks: () => performance.now(),
    now: Date.now,
  });
  door = own;
  return {
    // Without the door nobody gets in: Node-RED itself knows no user.
    adminAuth: {
      type: 'credentials',
      users: [],
      tokens: async (token: string) => own.userOf(token) ?? null,
    },
    httpAdminMiddleware: onlyThroughDoor,
    theme: { scripts: [PAGE_SCRIPT], userMenu: own.passwords.set },
  };
}

/** The door of this process; undefined where Potion is a guest in somebody else's Node-RED. */
export function theDoor(): Door | undefined {
  return door;
}

import { readNetwork } from '../../host/network-addresses.js';
import { readTraffic } from '../../host/network-counters.js';
import { type PingProblem, type PingResult, ping } from '../../host/ping.js';
import { tailnet } from '../../host/tailscale.js';
import type { Clock } from '../../kit/clock.js';
import { config } from '../../kit/config.js';
import { type Behaviour, defineNode, type NodeContext } from '../../kit/define-node.js';
import { PotionError } from '../../kit/errors.js';
import { hostName } from '../../kit/host-name.js';
import type { Message } from '../../kit/messages.js';
import { type Bandwidth, bandwidthOf } from './bandwidth.js';
import { type Target, targetsOf } from './favorites.js';
import { publicAddress } from './public-address.js';

const ACTIONS = ['ip', 'public-ip', 'ping', 'bandwidth', 'tailscale'] as const;

type Action = (typeof ACTIONS)[number];

interface NetworkConfig {
  action: Action;
}

/** What came back from each host, in the order of the question. */
interface Pings {
  hosts: (Omit<PingResult, 'problem'> & { label: string; problem?: PingProblem | 'no-gateway' })[];
}

/** Milliseconds between the two readings of the counters. */
const BETWEEN = 1000;

export default defineNode<NetworkConfig>({
  type: 'potion-network',
  version: 1,
  check: ({ action }) => void checked(action),
  create: (ctx) => network(ctx),
});

function network(ctx: NodeContext<NetworkConfig>): Behaviour {
  const work: Record<Action, (msg: Message) => Promise<object>> = {
    ip: () => readNetwork(),
    'public-ip': () => publicAddress(config().publicIpUrls, ctx.signal),
    ping: (msg) => pingAll(ctx, hostIn(msg)),
    bandwidth: () => bandwidth(ctx),
    tailscale: () => tailnet(true, ctx.signal),
  };
  return {
    async input(msg) {
      const action = checked(msg.action ?? ctx.config.action);
      const payload = await work[action](msg);
      ctx.status({
        fill: 'green',
        text: `${action} · ${ctx.t('network.status.at', { at: ctx.clock.now() })}`,
      });
      return { ...msg, payload };
    },
  };
}

function checked(action: unknown): Action {
  const known = ACTIONS.find((one) => one === action);
  if (!known) throw new PotionError('INVALID', 'network.errors.action', { action: JSON.stringify(action) });
  return known;
}

/** The host of a message: `msg.payload.host`, or the payload itself; none means the favourites. */
function hostIn({ payload }: Message): string | undefined {
  const named =
    typeof payload === 'object' && payload !== null ? (payload as { host?: unknown }).host : payload;
  if (typeof named !== 'string' || named === '') return undefined;
  if (!hostName(named)) throw new PotionError('INVALID', 'errors.ping-host', { host: named.slice(0, 100) });
  return named;
}

async function pingAll(ctx: NodeContext<NetworkConfig>, host: string | undefined): Promise<Pings> {
  const { routes } = await readNetwork();
  const targets = targetsOf(host === undefined ? config().pingFavorites : [host], routes);
  return { hosts: await Promise.all(targets.map((target) => pingOne(target, ctx.signal))) };
}

async function pingOne({ label, host }: Target, signal: AbortSignal): Promise<Pings['hosts'][number]> {
  if (host) return { label, ...(await ping(host, signal)) };
  return { label, host: label, sent: 0, received: 0, duplicates: 0, loss: 1, problem: 'no-gateway' };
}

async function bandwidth(ctx: NodeContext<NetworkConfig>): Promise<{ interfaces: Bandwidth[] }> {
  const { clock, signal } = ctx;
  const before = await readTraffic();
  const started = clock.monotonic();
  await rest(clock, BETWEEN, signal);
  const after = await readTraffic();
  const seconds = (clock.monotonic() - started) / 1000;
  return { interfaces: seconds > 0 ? bandwidthOf(before, after, seconds) : [] };
}

/** Waits, or until the node closes. */
function rest(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.after(ms, end);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });
}

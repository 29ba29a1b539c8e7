import type { ProcessInfo } from '../../host/processes.js';
import type { UnitState } from '../../host/systemd.js';
import { config as environment } from '../../kit/config.js';
import { defineNode, type NodeContext } from '../../kit/define-node.js';
import { type Failure, PotionError } from '../../kit/errors.js';
import type { Message, Say } from '../../kit/messages.js';
import { type ProcessPage, processesPanel, processPanel } from './processes.js';
import { type ServiceOutcome, servicePanel, servicesPanel } from './services.js';

const PANELS = ['services', 'service', 'processes', 'process'] as const;

interface PanelConfig {
  /** What the payload holds. */
  panel: (typeof PANELS)[number];
}

export default defineNode<PanelConfig>({
  type: 'potion-panel',
  version: 1,
  check({ panel }) {
    if (!PANELS.includes(panel))
      throw new PotionError('INVALID', 'panel.errors.panel', { panel: String(panel) });
  },
  create: (ctx) => ({
    input: (msg: Message) => ({ ...msg, say: { ...msg.say, ...viewOf(ctx, msg) } }),
  }),
});

function viewOf({ config, clock, t }: NodeContext<PanelConfig>, msg: Message): Say {
  const { payload } = msg;
  const now = clock.now();
  const failed = (msg.failed as { cause?: Failure } | undefined)?.cause;
  const isList = Array.isArray(payload);
  if (config.panel === 'services' && isList)
    return servicesPanel(payload as UnitState[], Number(msg.page ?? 1), t);
  if (typeof payload === 'object' && payload !== null && !isList) {
    if (config.panel === 'service' && 'after' in payload)
      return servicePanel(payload as ServiceOutcome, failed, now, t);
    if (config.panel === 'processes' && 'processes' in payload)
      return processesPanel(payload as ProcessPage, t);
    if (config.panel === 'process' && 'pid' in payload)
      return processPanel(payload as ProcessInfo, environment().servicesWhitelist, now, t);
  }
  throw new PotionError('INVALID', 'panel.errors.payload', { panel: config.panel });
}

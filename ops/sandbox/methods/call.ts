import type { Params } from '../request.js';
import type { Webhook } from '../webhook.js';
import type { World } from '../world.js';

/** One call of a Bot API method. */
export interface Call {
  world: World;
  webhook: Webhook;
  params: Params;
  /** Aborted when the caller goes away or the server stops. */
  signal: AbortSignal;
}

/** What a method gives back, with the remark that some give along. */
export interface Done {
  result: unknown;
  description?: string;
}

/** @throws ApiError for what Telegram refuses */
export type Method = (call: Call) => Done | Promise<Done>;

import type { Severity } from './messages.js';

/** A series as its alert node sees it now. */
export interface WatchedSeries {
  phase: 'inactive' | 'pending' | 'firing';
  value?: number | string;
  /** When the condition began, epoch ms; 0 while inactive. */
  since: number;
}

/** What an `alert` node watches. */
export interface AlertWatch {
  /** Id of the node. */
  node: string;
  /** Template of its codes: `cpu`, `disk:{series}`. */
  code: string;
  /** ratio, bytes, rate, celsius, seconds, number or ''. */
  unit: string;
  /** What the node calls the value; '' leaves that to the code. */
  label: string;
  severity: Severity;
  operator: 'above' | 'below' | 'oneOf';
  /** The node's own; a setting may count over it. */
  threshold: number | readonly string[];
  /** Its series by code, as far as they are known. */
  series(): ReadonlyMap<string, WatchedSeries | undefined>;
}

const watches = new Map<string, AlertWatch>();

/** An alert node says what it watches; the returned function takes that back. */
export function watchAlert(watch: AlertWatch): () => void {
  watches.set(watch.node, watch);
  return () => {
    if (watches.get(watch.node) === watch) watches.delete(watch.node);
  };
}

/** What the running alert nodes watch, in the order in which they started. */
export function alertWatches(): AlertWatch[] {
  return [...watches.values()];
}

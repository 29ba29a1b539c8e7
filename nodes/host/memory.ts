/** Memory in bytes. */
export interface Memory {
  total: number;
  /** What programs hold and the system could not give to others at once: total − available. */
  used: number;
  /** Buffers and file cache; most of it counts as available. */
  cache: number;
  /** What programs could still get without swapping, as the kernel estimates it. */
  available: number;
  /** used ÷ total. */
  ratio: number;
}

/** Swap in bytes. */
export interface Swap {
  total: number;
  used: number;
  ratio: number;
}

/**
 * Memory and swap, from systeminformation: the only one of its readings that starts no process (it reads
 * /proc/meminfo). The library is loaded at the first call.
 * @returns no swap where none is set up
 */
export async function readMemory(): Promise<{ memory?: Memory; swap?: Swap }> {
  const { mem } = await import('systeminformation');
  return memoryOf(await mem());
}

/** systeminformation's figures in Potion's words. It gives zeros or NaN where it could not read. */
export function memoryOf(raw: {
  total: number;
  available: number;
  buffers: number;
  cached: number;
  swaptotal: number;
  swapfree: number;
}): { memory?: Memory; swap?: Swap } {
  const { total, available, swaptotal, swapfree } = raw;
  const used = total - available;
  const memory =
    total > 0 && available > 0
      ? { total, used, cache: raw.buffers + raw.cached, available, ratio: used / total }
      : undefined;
  const swapUsed = swaptotal - swapfree;
  const swap = swaptotal > 0 ? { total: swaptotal, used: swapUsed, ratio: swapUsed / swaptotal } : undefined;
  return { memory, swap };
}

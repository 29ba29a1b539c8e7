/** One package that an upgrade would change. */
export interface AptChange {
  name: string;
  /** Absent: it would be new. */
  from?: string;
  to: string;
  /** Where it comes from, e.g. `Debian-Security:12/oldstable-security`. */
  origin: string;
  security: boolean;
}

/** What an upgrade would do. */
export interface AptPlan {
  changes: AptChange[];
  /** There is something newer, but it is not for now: put on hold, not for everyone yet, or more would change. */
  kept: string[];
}

/** How many packages an upgrade has changed. */
export interface AptSummary {
  upgraded: number;
  installed: number;
  kept: number;
}

// "Inst libc6 [2.36-9] (2.36-10 Debian:12.5/stable, Debian-Security:12/stable-security [amd64]) []"
const CHANGE = /^Inst (\S+)(?: \[([^\]]+)\])? \((\S+) (.*?) \[[^\]]*\]\)/;
const KEPT = /^The following (packages have been kept back|upgrades have been deferred)/;
const COUNTS = /^(\d+) upgraded, (\d+) newly installed, .*?(\d+) not upgraded\./;

/** Reads what `apt-get --simulate upgrade` prints under LC_ALL=C. */
export function aptPlan(lines: readonly string[]): AptPlan {
  const changes = lines.flatMap((line): AptChange[] => {
    const [, name, from, to, origin = ''] = CHANGE.exec(line) ?? [];
    if (!name || !to) return [];
    return [{ name, ...(from ? { from } : {}), to, origin, security: /security/i.test(origin) }];
  });
  return { changes, kept: keptIn(lines) };
}

/** Reads what `apt-get upgrade` prints under LC_ALL=C. */
export function aptSummary(lines: readonly string[]): AptSummary {
  const counts = lines.map((line) => COUNTS.exec(line)).find((match) => match !== null);
  const [upgraded = 0, installed = 0, kept = 0] = (counts ?? []).slice(1).map(Number);
  return { upgraded, installed, kept };
}

/**
 * What is still to be fetched, in bytes: the sum of what `apt-get --print-uris upgrade` lists, which leaves out
 * what is there already: `'http://…/tzdata_2025b_all.deb' tzdata_2025b_all.deb 259464 SHA256:…`
 */
export function downloadBytes(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + Number(/^'[^']*' \S+ (\d+)(?: |$)/.exec(line)?.[1] ?? 0), 0);
}

function keptIn(lines: readonly string[]): string[] {
  const kept: string[] = [];
  let inList = false;
  for (const line of lines) {
    if (KEPT.test(line)) inList = true;
    else if (!line.startsWith(' ')) inList = false;
    else if (inList) kept.push(...line.trim().split(/\s+/));
  }
  return kept;
}

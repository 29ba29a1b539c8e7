/** One appearance of a text in a chat: a new message, or an old one with another text. */
export interface Delivery {
  chat: number;
  /** Telegram's message id. */
  message: number;
  text: string;
  /** Number of the life of Potion that sent it. Each life but the last ended with a kill. */
  life: number;
  /** Telegram had it, but the connection was cut before the answer. */
  cut: boolean;
  /** Outages of Telegram before it. */
  outages: number;
}

/** A command that a person sent. */
export interface Command {
  kind: 'act' | 'sure' | 'peek';
  n: number;
  chat: number;
}

/** What happened, as Telegram, the door and the disk know it. */
export interface Facts {
  /** Chats of the admins: each gets every event and alarm. */
  chats: number[];
  /** Keys of what Potion has acknowledged, in that order. */
  due: string[];
  deliveries: Delivery[];
  commands: Command[];
  /** Keys of the questions that were answered with a yes at least once. */
  pressed: ReadonlySet<string>;
  /** A key for each time that a command has changed something. */
  effects: string[];
}

export interface Figures {
  due: number;
  delivered: number;
  lost: number;
  /** Messages that the outbox made of many. */
  digests: number;
  duplicates: number;
  afterKill: number;
  afterCut: number;
  afterOutage: number;
  unexplained: number;
  reordered: number;
  commands: number;
  acted: number;
  /** Commands whose person was told that a crash came in between. */
  explained: number;
  actedTwice: number;
  unasked: number;
  unanswered: number;
  untrue: number;
}

/** Something that must not happen, and the key of what it happened to. */
export interface Violation {
  what: string;
  key: string;
}

export interface Verdict {
  figures: Figures;
  violations: Violation[];
}

const SIGNS: [RegExp, (match: RegExpMatchArray) => string][] = [
  [/\bevent #(\d+)/g, ([, n]) => `event ${n}`],
  [/\balarm #(\d+) (begins|ends)/g, ([, n, part]) => `alarm ${n} ${part}`],
  // A line of a digest tells both in one.
  [/✅ alarm #(\d+) begins/g, ([, n]) => `alarm ${n} ends`],
  [/\b(act|sure|peek) #(\d+) done/g, ([, kind, n]) => `${kind} ${n} done`],
  [/\brun sure #(\d+)/g, ([, n]) => `sure ${n} asked`],
  [/\/(act|sure|peek) (\d+)/g, ([, kind, n]) => `${kind} ${n} explained`],
];

/** What a text in the chat tells of, in the order of the text: the outbox may put two messages into one. */
export function keysOf(text: string): string[] {
  return SIGNS.flatMap(([sign, key]) =>
    [...text.matchAll(sign)].map((match) => ({ at: match.index + match[0].length, key: key(match) })),
  )
    .sort((a, b) => a.at - b.at)
    .map(({ key }) => key);
}

/** Judges what happened by what a person would see. */
export function judge(facts: Facts): Verdict {
  const violations: Violation[] = [];
  const lost = lostIn(facts);
  const reordered = facts.chats.flatMap((chat) => reorderedIn(facts, chat));
  const duplicates = facts.chats.flatMap((chat) => duplicatesIn(facts, chat));
  const commands = facts.commands.flatMap((command) => faultsOf(facts, command));
  const faulty = (fault: CommandFault['fault']) => commands.filter((one) => one.fault === fault).length;
  const count = (cause: Duplicate['cause']) => duplicates.filter((one) => one.cause === cause).length;
  violations.push(...lost, ...reordered, ...commands);
  for (const { key, chat, cause, what } of duplicates)
    if (cause === 'none') violations.push({ key, what: `${key} came twice to ${chat} ${what}` });
  const due = facts.due.length * facts.chats.length;
  return {
    violations,
    figures: {
      due,
      delivered: due - lost.length,
      lost: lost.length,
      digests: facts.deliveries.filter(({ text }) => text.startsWith('📬')).length,
      duplicates: duplicates.length,
      afterKill: count('kill'),
      afterCut: count('cut'),
      afterOutage: count('outage'),
      unexplained: count('none'),
      reordered: reordered.length,
      commands: facts.commands.length,
      acted: new Set(facts.effects).size,
      explained: explainedIn(facts).size,
      actedTwice: facts.effects.length - new Set(facts.effects).size,
      unasked: faulty('unasked'),
      unanswered: faulty('unanswered'),
      untrue: faulty('untrue'),
    },
  };
}

function lostIn({ chats, due, deliveries }: Facts): Violation[] {
  return chats.flatMap((chat) => {
    const there = new Set(deliveries.filter((one) => one.chat === chat).flatMap(({ text }) => keysOf(text)));
    return due
      .filter((key) => !there.has(key))
      .map((key) => ({ key, what: `${key} was acknowledged and never came to ${chat}` }));
  });
}

/** Events among themselves and alarms among themselves: an alarm may join one that waits further ahead. */
function reorderedIn({ deliveries }: Facts, chat: number): Violation[] {
  const first = [
    ...new Set(deliveries.filter((one) => one.chat === chat).flatMap(({ text }) => keysOf(text))),
  ];
  return ['event', 'alarm'].flatMap((stream) => {
    let last = { key: '', place: -1 };
    return first
      .filter((key) => key.startsWith(stream))
      .flatMap((key): Violation[] => {
        const place = placeOf(key);
        if (place < last.place) return [{ key, what: `${key} came to ${chat} after ${last.key}` }];
        last = { key, place };
        return [];
      });
  });
}

function placeOf(key: string): number {
  return Number(/\d+/.exec(key)) * 2 + (key.endsWith('ends') ? 1 : 0);
}

interface Duplicate {
  key: string;
  chat: number;
  cause: 'kill' | 'cut' | 'outage' | 'none';
  what: string;
}

/**
 * Every message that told again what an earlier one had told, and why. A kill, a cut answer or an outage excuses
 * one message per chat, the one that was on its way.
 */
function duplicatesIn({ deliveries }: Facts, chat: number): Duplicate[] {
  const before = new Map<string, Delivery>();
  const excused = new Map<string, number>();
  return deliveries
    .filter((one) => one.chat === chat)
    .flatMap((delivery): Duplicate[] => {
      const keys = keysOf(delivery.text);
      const again = keys.find((key) => (before.get(key)?.message ?? delivery.message) !== delivery.message);
      const earlier = again === undefined ? undefined : before.get(again);
      for (const key of keys) before.set(key, delivery);
      return again !== undefined && earlier
        ? [{ key: again, chat, ...excuse(earlier, delivery, excused) }]
        : [];
    });
}

/** @param excused the message that each kill and outage has excused so far */
function excuse(
  earlier: Delivery,
  later: Delivery,
  excused: Map<string, number>,
): Pick<Duplicate, 'cause' | 'what'> {
  const cause = causeOf(earlier, later);
  if (cause === 'none') return { cause, what: 'and nothing had gone wrong in between' };
  if (cause === 'cut') return { cause, what: '' };
  const reason = cause === 'kill' ? `kill ${earlier.life}` : `outage ${earlier.outages + 1}`;
  const other = excused.get(reason) ?? earlier.message;
  excused.set(reason, other);
  if (other === earlier.message) return { cause, what: '' };
  return { cause: 'none', what: `though ${reason} had caused another duplicate already` };
}

function causeOf(earlier: Delivery, later: Delivery): Duplicate['cause'] {
  if (earlier.cut) return 'cut';
  if (earlier.life < later.life) return 'kill';
  return earlier.outages < later.outages ? 'outage' : 'none';
}

function explainedIn({ deliveries }: Facts): Set<string> {
  return new Set(deliveries.flatMap(({ text }) => keysOf(text)).filter((key) => key.endsWith('explained')));
}

interface CommandFault extends Violation {
  fault: 'twice' | 'unasked' | 'unanswered' | 'untrue';
}

/** A command is answered in the end, has an effect once at most, and none without the yes that it asks for. */
function faultsOf({ deliveries, effects, pressed }: Facts, { kind, n, chat }: Command): CommandFault[] {
  const key = `${kind} ${n}`;
  const said = new Set(
    deliveries
      .filter((one) => one.chat === chat)
      .flatMap(({ text }) => keysOf(text))
      .filter((told) => told.startsWith(`${key} `)),
  );
  const times = effects.filter((effect) => effect === key).length;
  const done = said.has(`${key} done`);
  // Without a yes the question is all that there is to say.
  const answered = done || said.has(`${key} explained`) || (said.has(`${key} asked`) && !pressed.has(key));
  const faults: CommandFault[] = [];
  if (times > 1) faults.push({ key, fault: 'twice', what: `${key} was acted on ${times} times` });
  if (times > 0 && kind === 'sure' && !pressed.has(key))
    faults.push({ key, fault: 'unasked', what: `${key} was acted on without a yes` });
  if (!answered) faults.push({ key, fault: 'unanswered', what: `${key} stayed unanswered` });
  if (done && kind !== 'peek' && times === 0)
    faults.push({ key, fault: 'untrue', what: `${key} was said to be done and was not` });
  return faults;
}

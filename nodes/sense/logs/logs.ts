import { config, unitName } from '../../kit/config.js';
import { type Behaviour, defineNode, type NodeContext } from '../../kit/define-node.js';
import { PotionError } from '../../kit/errors.js';
import type { Button, Message, Say } from '../../kit/messages.js';
import { outgoing } from '../../kit/outgoing.js';
import { redact } from '../../kit/redact.js';
import { menuButtons, nameOf, sourceButtons } from './buttons.js';
import { type LogLine, localTime } from './entry.js';
import { Live, type Watched, watched, watchLog } from './live.js';
import { contentOf } from './log-file.js';
import { matcherOf } from './matcher.js';
import { type Action, type Asked, actionOf, readRequest, type Settings } from './request.js';
import { type Back, follow, linesBack, type Source, sourceOf } from './source.js';
import { takeSpan } from './span.js';
import { FEW_MESSAGES, ONE_MESSAGE, show } from './view.js';

/** What an action comes to: data, and how it is told. */
type Answer = { payload: object; say: Say };
type Of<S> = Asked & { source: S };

/** Its journal may be read beside those of the whitelist. */
const OWN_UNIT = 'potion.service';
/** Lines of a page, matches of a search, lines of a live view. */
const PAGE = 50;
const MATCHES = 50;
const LIVE_LINES = 20;
/** Milliseconds that a search may take, and the making of a file. */
const SEARCH_TIME = 8000;
const FILE_TIME = 60_000;
/** A file reaches back so far when nothing else is asked, ms. */
const FILE_SPAN = 86_400_000;
/** Bytes: a longer text is compressed, and a bot may send no more than 50 MB. */
const PLAIN_FILE = 1_000_000;
const LARGEST_FILE = 45_000_000;

export default defineNode<Settings>({
  type: 'potion-logs',
  version: 1,
  check({ action, source }) {
    actionOf(action);
    if (source && source !== 'unit') sourceOf(source, [unitName(source) ?? '']);
  },
  create: (ctx) => new Logs(ctx),
});

class Logs implements Behaviour {
  readonly #ctx: NodeContext<Settings>;

  constructor(ctx: NodeContext<Settings>) {
    this.#ctx = ctx;
  }

  async input(msg: Message, send: (out: Message) => void): Promise<Message | undefined> {
    const { clock, config: set, t } = this.#ctx;
    const asked = readRequest(msg, { ...set, source: set.source ?? '' }, this.#units, clock.now());
    const answer = await this.#answer(asked, msg, (more) => send({ ...msg, ...more }));
    const text = t('logs.status', {
      action: asked.action,
      source: asked.source?.name ?? '',
      at: clock.now(),
    });
    this.#ctx.status({ fill: 'green', text });
    return answer && { ...msg, ...answer };
  }

  async #answer(
    asked: Asked,
    msg: Message,
    interim: (more: Answer) => void,
  ): Promise<Partial<Message> | undefined> {
    const { source, action } = asked;
    if (action === 'stop') return this.#stop(asked);
    if (!source || action === 'menu') return this.#menu();
    const named = { ...asked, source };
    if (action === 'follow') return this.#follow(named, msg.request?.chat ?? 0, interim);
    const work: Record<Exclude<Action, 'stop' | 'menu' | 'follow'>, (of: Of<Source>) => Promise<Answer>> = {
      page: (of) => this.#page(of),
      tail: (of) => this.#tail(of),
      search: (of) => this.#search(of),
      file: (of) => this.#file(of),
    };
    return work[action](named);
  }

  get #units(): readonly string[] {
    return [...new Set([...config().servicesWhitelist, OWN_UNIT])];
  }

  #title({ name, of }: Source): string {
    return 'unit' in of ? nameOf(name) : this.#ctx.t(`logs.source.${name}`);
  }

  #back(source: Source, back: Back): AsyncGenerator<LogLine> {
    return linesBack(source, config().logDir, back, this.#ctx.signal);
  }

  #buttons(source: Source, older?: string): Button[][] {
    return sourceButtons(source, older, this.#ctx.t);
  }

  #menu(): Answer {
    const units = this.#units;
    return {
      payload: { sources: ['runtime', 'actions', 'kernel', ...units] },
      say: { text: 'logs.menu', buttons: menuButtons(units, this.#ctx.t) },
    };
  }

  /** As many of the newest lines as one message holds. */
  async #page({ source, span, before }: Of<Source>): Promise<Answer> {
    const lines = await newest(this.#back(source, { ...span, before, about: PAGE }), PAGE);
    const { text, count, place } = show(lines, ONE_MESSAGE, this.#ctx.clock.now());
    const older = lines.length === PAGE || count < lines.length ? place : undefined;
    const data = { title: this.#title(source), text, count, page: before !== undefined };
    return {
      payload: { source: source.name, lines },
      say: { text: count > 0 ? 'logs.lines' : 'logs.empty', data, buttons: this.#buttons(source, older) },
    };
  }

  async #tail({ source, span, lines: wanted }: Of<Source>): Promise<Answer> {
    const lines = await newest(this.#back(source, { ...span, about: wanted }), wanted);
    return this.#told(source, lines, { text: 'logs.lines', data: {} }, lines.length === wanted);
  }

  async #search({ source, what, span: asked }: Of<Source>): Promise<Answer> {
    const { clock } = this.#ctx;
    const { rest, span } = takeSpan(what, clock.now()) ?? wrongSpan(what);
    if (rest === '') throw new PotionError('INVALID', 'logs.errors.no-words', { source: source.name });
    const matches = await matcherOf(rest);
    const end = clock.monotonic() + SEARCH_TIME;
    const found: LogLine[] = [];
    const seen: { late: boolean; oldest?: number } = { late: false };
    for await (const line of this.#back(source, { ...asked, ...span, about: 500 })) {
      seen.oldest = line.at ?? seen.oldest;
      if (matches(line.text)) found.unshift(clean(line));
      if (found.length === MATCHES) break;
      seen.late = clock.monotonic() > end;
      if (seen.late) break;
    }
    const data = { what: rest, more: found.length === MATCHES, ...seen };
    const text = found.length > 0 ? 'logs.found' : 'logs.found-nothing';
    return this.#told(source, found, { text, data }, false);
  }

  /** Lines in a few messages, or as a file when there are too many. */
  async #told(source: Source, lines: LogLine[], words: Say, older: boolean): Promise<Answer> {
    const { clock } = this.#ctx;
    const shown = show(lines, FEW_MESSAGES, clock.now());
    const data = { title: this.#title(source), text: shown.text, count: lines.length, ...words.data };
    const buttons = this.#buttons(source, older ? shown.place : undefined);
    const payload = { source: source.name, lines };
    if (lines.length === 0)
      return {
        payload,
        say: { ...words, text: words.text === 'logs.lines' ? 'logs.empty' : words.text, data, buttons },
      };
    if (shown.count === lines.length) return { payload, say: { ...words, data, buttons } };
    const text = lines.map((line) => `${line.text}\n`).join('');
    const file = await outgoing(fileName(source, clock.now()), Buffer.from(text), clock.now());
    return { payload, say: { text: `${words.text}-file`, data: { ...data, text: '' }, buttons, file } };
  }

  async #file({ source, span: asked }: Of<Source>): Promise<Answer> {
    const { clock } = this.#ctx;
    const now = clock.now();
    const span = asked.since === undefined && asked.until === undefined ? { since: now - FILE_SPAN } : asked;
    const limits = { plain: PLAIN_FILE, most: LARGEST_FILE, time: FILE_TIME };
    const lines = cleaned(this.#back(source, { ...span, about: 2000 }));
    const { bytes, gzipped, ...facts } = await contentOf(lines, limits, clock);
    const data = { title: this.#title(source), ...span, ...facts, size: bytes.length };
    const buttons = this.#buttons(source);
    const payload = { source: source.name, ...facts, size: bytes.length };
    if (facts.lines === 0) return { payload, say: { text: 'logs.empty', data, buttons } };
    const file = await outgoing(`${fileName(source, now)}${gzipped ? '.gz' : ''}`, bytes, now);
    return { payload, say: { text: 'logs.file', data, buttons, file } };
  }

  async #follow(
    { source, seconds }: Of<Source>,
    chat: number,
    interim: (more: Answer) => void,
  ): Promise<Answer | undefined> {
    const { clock, signal } = this.#ctx;
    let lines: LogLine[] = [];
    let told: string | undefined;
    const refresh = async () => {
      if ('file' in source.of) lines = await newest(this.#back(source, {}), LIVE_LINES);
    };
    const live = new Live(clock, seconds, signal, async () => {
      await refresh();
      const { text } = show(lines, ONE_MESSAGE, clock.now());
      if (text === told) return;
      told = text;
      interim(this.#liveView(source, live, lines));
    });
    const view: Watched['view'] = (ending) => this.#liveView(source, live, lines, ending);
    watched.get(chat)?.live.end('replaced');
    watched.set(chat, { live, view });
    const stop = this.#listen(source, seconds, live, (line) => {
      lines = [...lines, clean(line)].slice(-LIVE_LINES);
    });
    try {
      live.touch();
      const ending = await live.ended;
      if (ending === undefined) return undefined;
      await refresh();
      return this.#liveView(source, live, lines, ending) as Answer;
    } finally {
      stop();
      if (watched.get(chat)?.live === live) watched.delete(chat);
    }
  }

  /** Touches the view whenever its source has something new. The returned function ends that. */
  #listen({ of }: Source, seconds: number, live: Live, take: (line: LogLine) => void): () => void {
    if ('file' in of) return watchLog(config().logDir, of.file, () => live.touch());
    const over = new AbortController();
    follow(of, LIVE_LINES, seconds, over.signal, (line) => {
      take(line);
      live.touch();
    }).catch((thrown: unknown) => live.fail(thrown));
    return () => over.abort();
  }

  #liveView(source: Source, live: Live, lines: LogLine[], ending?: string): Answer {
    const { clock, t } = this.#ctx;
    const { text } = show(lines, ONE_MESSAGE, clock.now());
    const data = { title: this.#title(source), text, until: localTime(live.until).slice(11), ending };
    const stop = [[{ label: t('logs.button.stop'), command: `/log_stop ${live.id}` }]];
    const buttons = ending === undefined ? stop : this.#buttons(source);
    return {
      payload: { source: source.name, lines },
      say: { text: 'logs.live', data, buttons, ...(ending === undefined ? { interim: true } : {}) },
    };
  }

  #stop({ id }: Asked): Partial<Message> {
    const found = [...watched.values()].find(({ live }) => live.id === id);
    const menu = this.#menu();
    if (!found) return { ...menu, say: { ...menu.say, text: 'logs.live-gone' } };
    found.live.end('stopped');
    return found.view('stopped');
  }
}

/** The newest lines, at most so many, oldest first, without secrets. */
async function newest(lines: AsyncIterable<LogLine>, most: number): Promise<LogLine[]> {
  const found: LogLine[] = [];
  for await (const line of lines) {
    found.push(clean(line));
    if (found.length === most) break;
  }
  return found.reverse();
}

async function* cleaned(lines: AsyncIterable<LogLine>): AsyncGenerator<LogLine> {
  for await (const line of lines) yield clean(line);
}

function clean(line: LogLine): LogLine {
  const { botToken, ownerBotToken, editorPasswordHash, heartbeatUrl } = config();
  const secrets = [botToken, ownerBotToken, editorPasswordHash, heartbeatUrl];
  return { ...line, words: redact(line.words, secrets), text: redact(line.text, secrets) };
}

function fileName({ name }: Source, now: number): string {
  return `${nameOf(name).replace(/[^\w.@-]/g, '_')}-${localTime(now).slice(0, 16).replace(/\D/g, '')}.log`;
}

function wrongSpan(given: string): never {
  throw new PotionError('INVALID', 'logs.errors.span', { given: given.slice(0, 80) });
}

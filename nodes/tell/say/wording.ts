import { describe, type Failure } from '../../kit/errors.js';
import { hasText, type Language, type Mode, render, renderTemplate } from '../../kit/locale.js';
import type { Message } from '../../kit/messages.js';
import { redact } from '../../kit/redact.js';

/** What a node is configured to say. */
export interface Text {
  /** Key of a text in `locales`, or a Liquid template; empty: the message says it. */
  text: string;
  textType: 'key' | 'template';
}

/** What templates can use. */
export interface Surroundings {
  lang: Language;
  server: string;
  /** Epoch ms. */
  now: number;
}

/** A failure in the reader's language. */
export interface Told {
  code: string;
  message: string;
  hint: string;
}

/** What was made of a message. */
export interface Wording {
  /** Telegram HTML. */
  html: string;
  /** Key of the text, if it was one. */
  key?: string;
  /** Values for further templates, e.g. of buttons. */
  data: object;
  failure?: Told;
}

/**
 * The words for a message: a failure that a Catch node passed on comes first, then what the message itself asks
 * to be said (`msg.say`), then what the node is configured to say.
 * @returns undefined when there is nothing to say at all
 */
export function wordingOf(msg: Message, text: Text, around: Surroundings): Wording | undefined {
  const { lang, server, now } = around;
  const failure = msg.error && toldOf(msg.error, lang);
  const { payload, topic, timestamp, request, incident } = msg;
  const data = {
    payload,
    topic,
    timestamp,
    request,
    incident,
    error: failure,
    server,
    now,
    ...msg.say?.data,
  };
  const key = failure ? 'done.fail' : (msg.say?.text ?? (text.textType === 'template' ? '' : text.text));
  if (key) return { html: render(lang, key, data), key, data, failure };
  if (text.textType !== 'template' || !text.text) return undefined;
  return { html: renderTemplate(lang, text.text, data), data };
}

/** A label or a command line: a key of a text, or a template. Plain, because Telegram shows it as it is. */
export function short(source: string, data: object, lang: Language): string {
  const mode: Mode = 'plain';
  return hasText(lang, source) ? render(lang, source, data, mode) : renderTemplate(lang, source, data, mode);
}

function toldOf(error: NonNullable<Message['error']>, lang: Language): Told {
  const cause = error.cause as Partial<Failure> | undefined;
  if (typeof cause?.text !== 'string' || !hasText(lang, `${cause.text}.message`)) {
    // A node that is not Potion's: its own words are all there is.
    const words = typeof error === 'object' ? error.message : error;
    return { code: error.code ?? 'FAILED', message: redact(describe(words)), hint: '' };
  }
  const part = (name: string) => redact(render(lang, `${cause.text}.${name}`, cause.data, 'plain'));
  return { code: cause.code ?? 'FAILED', message: part('message'), hint: part('hint') };
}

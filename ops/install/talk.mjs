// @ts-check
// What is said to the person, and what is asked.
import { createInterface } from 'node:readline';
import { textsIn } from './texts.mjs';

/** One conversation: its language, and whether anything may be changed. */
export class Talk {
  /** Changes made, or in a dry run, to be made. */
  changes = 0;
  /** Something is under way that has to be finished. */
  isBusy = false;
  /** @type {ReturnType<typeof open> | undefined} */
  #terminal;

  /**
   * @param {'id' | 'en-US'} lang
   * @param {{ dryRun: boolean, canAsk: boolean, patience: number }} options
   */
  constructor(lang, { dryRun, canAsk, patience }) {
    this.lang = lang;
    /** Seconds that Potion has to become well. */
    this.patience = patience;
    this.dryRun = dryRun;
    this.canAsk = canAsk && !dryRun;
    this.t = textsIn(lang);
  }

  /**
   * @param {string} key
   * @param {Record<string, string | number>} [data]
   */
  say(key, data) {
    this.line(this.t(key, data));
  }

  /** @param {string} text */
  line(text) {
    process.stdout.write(`${text}\n`);
  }

  /**
   * A change: named, and made unless this is a dry run.
   * @param {string} key
   * @param {Record<string, string | number>} data
   * @param {() => unknown} make
   */
  async change(key, data, make) {
    this.changes++;
    this.line(`  ${this.dryRun ? this.t('would') : '•'} ${this.t(key, data)}`);
    if (!this.dryRun) await make();
  }

  /**
   * @param {string} question
   * @returns {Promise<string>} the answer without white space around it
   * @throws {Gone} when there will be none
   */
  async ask(question) {
    this.#terminal ??= open();
    process.stdout.write(question);
    const { value, done } = await this.#terminal.lines.next();
    if (done) throw new Gone();
    return value.trim();
  }

  /** @param {string} question @returns {Promise<boolean>} no unless the answer begins as a yes does */
  async agrees(question) {
    return /^y/i.test(await this.ask(question));
  }

  close() {
    this.#terminal?.reader.close();
    this.#terminal = undefined;
  }
}

function open() {
  // One for all questions: it may have read the next answers already.
  const reader = createInterface({ input: process.stdin });
  return { reader, lines: reader[Symbol.asyncIterator]() };
}

/** The person has left a question unanswered (Ctrl-D). */
export class Gone extends Error {}

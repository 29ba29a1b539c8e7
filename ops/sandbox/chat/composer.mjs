import { summary } from './bubbles.mjs';
import { $, make } from './dom.mjs';
import { upload } from './link.mjs';
import { t } from './texts.mjs';

const UPLOAD_LIMIT = 50 * 1024 * 1024;

/** The lower part of the page: input, commands, what is being answered, files, the keyboard below. */
export class Composer {
  #input = $('#input');
  #popup = $('#commands');
  #room;
  #commands = [];
  #answering;
  #open = true;
  #actions;

  /** @param actions say(text, replyTo), trouble(text), who() */
  constructor(actions) {
    this.#actions = actions;
    $('#form').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#send();
    });
    this.#input.addEventListener('input', () => this.#typed());
    this.#input.addEventListener('keydown', (event) => this.#key(event));
    $('#command-button').addEventListener('click', () => this.#toggleCommands());
    $('#keyboard-button').addEventListener('click', () => {
      this.#open = !this.#open;
      this.#drawKeyboard();
    });
    $('#answer-cancel').addEventListener('click', () => this.answer(undefined));
    $('#attach').addEventListener('change', ({ target }) => {
      for (const file of target.files) this.#upload(file);
      target.value = '';
    });
    document.addEventListener('click', ({ target }) => {
      if (!target.closest('#composer')) this.#popup.hidden = true;
    });
  }

  /** Shows the keyboard and the draft of another chat. */
  enter(room) {
    if (this.#room) this.#room.draft = this.#input.value;
    this.#room = room;
    this.#input.value = room.draft ?? '';
    this.#open = true;
    this.answer(undefined);
    this.#typed();
    this.#drawKeyboard();
    if (matchMedia('(hover: hover)').matches) this.#input.focus();
  }

  /** The keyboard below the chat may have changed. */
  refresh() {
    this.#open = true;
    this.#drawKeyboard();
  }

  setCommands(commands) {
    this.#commands = commands;
    $('#command-button').hidden = commands.length === 0;
    if (!this.#popup.hidden) this.#typed();
  }

  /** The next message answers this one. */
  answer(entry) {
    this.#answering = entry;
    $('#answer').hidden = !entry;
    if (!entry) return;
    $('#answer-text').textContent = summary(entry.message);
    this.#input.focus();
  }

  #send() {
    const text = this.#input.value.trim();
    if (!text) return;
    this.#actions.say(text, this.#answering?.message.message_id);
    this.#input.value = '';
    this.answer(undefined);
    this.#typed();
  }

  #typed() {
    const { value } = this.#input;
    $('#send').disabled = value.trim() === '';
    const typed = /^\/(\w*)$/.exec(value)?.[1];
    const fitting =
      typed === undefined
        ? []
        : this.#commands.filter(({ command }) => command.startsWith(typed.toLowerCase()));
    this.#drawCommands(fitting);
  }

  #toggleCommands() {
    if (this.#popup.hidden) this.#drawCommands(this.#commands);
    else this.#popup.hidden = true;
    this.#input.focus();
  }

  #drawCommands(commands) {
    this.#popup.hidden = commands.length === 0;
    this.#popup.replaceChildren(
      ...commands.map(({ command, description }, index) =>
        make(
          'button',
          {
            type: 'button',
            role: 'option',
            'aria-selected': String(index === 0),
            onclick: () => this.#choose(command),
          },
          make('strong', {}, `/${command}`),
          make('span', {}, description),
        ),
      ),
    );
  }

  #choose(command) {
    this.#popup.hidden = true;
    this.#input.value = '';
    this.#typed();
    this.#actions.say(`/${command}`);
  }

  #key(event) {
    if (event.isComposing) return;
    const options = this.#popup.hidden ? [] : [...this.#popup.children];
    const chosen = options.findIndex((option) => option.getAttribute('aria-selected') === 'true');
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === 'Escape') {
      this.#popup.hidden = true;
      this.answer(undefined);
    } else if (options.length > 0 && step) {
      event.preventDefault();
      options[chosen]?.setAttribute('aria-selected', 'false');
      const next = options[(chosen + step + options.length) % options.length];
      next.setAttribute('aria-selected', 'true');
      next.scrollIntoView({ block: 'nearest' });
    } else if (options.length > 0 && event.key === 'Tab') {
      event.preventDefault();
      this.#input.value = `${options[Math.max(chosen, 0)].querySelector('strong').textContent} `;
      this.#typed();
    } else if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      if (options.length > 0) options[Math.max(chosen, 0)].click();
      else this.#send();
    }
  }

  #drawKeyboard() {
    const markup = keyboardOf(this.#room);
    const rows = markup?.keyboard ?? [];
    $('#keyboard-button').hidden = rows.length === 0;
    $('#keyboard-button').setAttribute('aria-pressed', String(this.#open));
    $('#keyboard').hidden = rows.length === 0 || !this.#open;
    this.#input.placeholder = markup?.input_field_placeholder ?? t('placeholder');
    $('#keyboard').replaceChildren(
      ...rows.map((row) =>
        make(
          'div',
          { class: 'keys-row' },
          ...row.map(({ text }) =>
            make(
              'button',
              { type: 'button', class: 'key', onclick: () => this.#pressKey(text, markup) },
              text,
            ),
          ),
        ),
      ),
    );
  }

  #pressKey(text, markup) {
    this.#actions.say(text, this.#answering?.message.message_id);
    this.answer(undefined);
    if (!markup.one_time_keyboard) return;
    this.#open = false;
    this.#drawKeyboard();
  }

  #upload(file) {
    if (file.size > UPLOAD_LIMIT) this.#actions.trouble(t('tooLarge'));
    else upload(file, this.#actions.who()).catch(() => this.#actions.trouble(t('failed')));
  }
}

/** The newest word of the bot on the keyboard below the chat decides. */
function keyboardOf(room) {
  const last = [...room.entries.values()].findLast(({ markup }) => markup && !markup.force_reply);
  return last?.markup.keyboard ? last.markup : undefined;
}

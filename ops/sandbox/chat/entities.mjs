import { make } from './dom.mjs';

const TAGS = {
  bold: 'b',
  italic: 'i',
  underline: 'u',
  strikethrough: 's',
  code: 'code',
  pre: 'pre',
  blockquote: 'blockquote',
  expandable_blockquote: 'blockquote',
};

/**
 * A text with Telegram's entities as DOM. Entities nest: a longer one holds the shorter ones within it; of two
 * that cross, the later is cut at the end of the earlier.
 */
export function formatted(text, entities = [], onCommand = () => {}) {
  const fragment = document.createDocumentFragment();
  const sorted = entities.toSorted((a, b) => a.offset - b.offset || b.length - a.length);
  fill(fragment, text, 0, text.length, sorted, onCommand);
  return fragment;
}

function fill(parent, text, start, end, entities, onCommand) {
  let at = start;
  for (let index = 0; index < entities.length; index++) {
    const entity = entities[index];
    const from = Math.max(entity.offset, at);
    const to = Math.min(entity.offset + entity.length, end);
    if (to <= from) continue;
    parent.append(text.slice(at, from));
    const inner = entities.slice(index + 1).filter((other) => other.offset < to);
    const element = elementFor(entity, text.slice(from, to), onCommand);
    fill(element, text, from, to, inner, onCommand);
    parent.append(element);
    at = to;
  }
  parent.append(text.slice(at, end));
}

function elementFor(entity, words, onCommand) {
  switch (entity.type) {
    case 'text_link':
      return link(entity.url);
    case 'url':
      return link(words);
    case 'bot_command':
      return make('button', { type: 'button', class: 'command', onclick: () => onCommand(words) });
    case 'spoiler':
      return make('span', {
        class: 'spoiler',
        onclick: ({ currentTarget }) => currentTarget.classList.add('open'),
      });
    case 'expandable_blockquote':
      return make('blockquote', {
        class: 'folded',
        onclick: ({ currentTarget }) => currentTarget.classList.toggle('folded'),
      });
    case 'pre':
      return make('pre', { 'data-language': entity.language });
    default:
      return make(TAGS[entity.type] ?? 'span', entity.type in TAGS ? {} : { class: entity.type });
  }
}

function link(address) {
  const safe = /^(https?|tg):/i.test(address);
  return make('a', { href: safe ? address : undefined, target: '_blank', rel: 'noopener noreferrer' });
}

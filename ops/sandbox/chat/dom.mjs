/**
 * Makes an element. Text goes in as text, never as HTML, so nothing that a bot or a person wrote can run.
 *
 *     make('button', { class: 'key', onclick: press }, 'Status')
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.filter((child) => child !== undefined && child !== null));
  return element;
}

export const $ = (selector) => document.querySelector(selector);

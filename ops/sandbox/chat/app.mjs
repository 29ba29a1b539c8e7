import { bubble } from './bubbles.mjs';
import { Composer } from './composer.mjs';
import { $, make } from './dom.mjs';
import { about, follow, post } from './link.mjs';
import { drawPeople } from './people.mjs';
import { day, speak, t } from './texts.mjs';

/** Pixels from the end within which a new message scrolls the chat along. */
const NEAR_END = 140;

const log = $('#log');
/** What is known; rooms by the id of the person, whose private chat with the bot has the same id. */
const state = { people: [], rooms: new Map(), who: 0, title: 'Potion' };

const actions = {
  say: (text, replyTo) => send('say', { as: state.who, text, replyTo }),
  reply: (entry) => composer.answer(entry),
  jump: (id) => flash(log.querySelector(`[data-id="${id}"]`)),
  trouble: toast,
  who: () => state.who,
  async press(message, data, button) {
    button.classList.add('waiting');
    setTimeout(() => button.classList.remove('waiting'), 8000);
    const answer = await send('press', { as: state.who, message: message.message_id, data });
    if (answer) button.dataset.press = answer.id;
  },
};
const composer = new Composer(actions);

async function send(path, body) {
  try {
    return await (await post(path, body)).json();
  } catch (thrown) {
    toast(`${t('failed')}: ${thrown.message}`);
    return undefined;
  }
}

const EVENTS = {
  hello({ people, entries, commands, bot }) {
    state.people = people;
    state.bot = bot;
    const before = state.rooms;
    state.rooms = new Map(
      people.map(({ id }) => [
        id,
        { entries: new Map(), unread: 0, draft: before.get(id)?.draft, commands: [] },
      ]),
    );
    for (const entry of entries) room(entry.message.chat.id)?.entries.set(entry.message.message_id, entry);
    EVENTS.commands({ commands });
    enter(state.rooms.has(state.who) ? state.who : people[0].id);
  },
  entry({ entry }) {
    const { chat, message_id } = entry.message;
    const known = room(chat.id)?.entries.has(message_id);
    room(chat.id)?.entries.set(message_id, entry);
    if (chat.id === state.who) show(entry, known);
    if (entry.own && !known) count(chat.id);
    people();
  },
  deleted({ chat, id }) {
    room(chat)?.entries.delete(id);
    if (chat === state.who) log.querySelector(`[data-id="${id}"]`)?.remove();
    people();
  },
  answered({ press }) {
    for (const button of log.querySelectorAll('.waiting')) button.classList.remove('waiting');
    if (press.user !== state.who || !press.answer.text) return;
    if (!press.answer.alert) return toast(press.answer.text);
    $('#alert-text').textContent = press.answer.text;
    $('#alert').showModal();
  },
  action({ chat, action }) {
    if (chat !== state.who) return;
    $('#status').textContent = t(action === 'typing' ? 'typing' : 'uploading');
    clearTimeout(state.acting);
    state.acting = setTimeout(calm, 5000);
  },
  commands({ commands }) {
    for (const [id, list] of Object.entries(commands)) if (room(Number(id))) room(Number(id)).commands = list;
    composer.setCommands(room(state.who)?.commands ?? []);
    if (room(state.who)?.entries.size === 0) redraw();
  },
};

const room = (id) => state.rooms.get(id);
const isStranger = () => state.people.find(({ id }) => id === state.who)?.role === 'stranger';
const calm = () => {
  $('#status').textContent = t('bot');
};

function enter(who) {
  state.who = who;
  room(who).unread = 0;
  document.body.classList.toggle('as-stranger', isStranger());
  $('#stranger-hint').hidden = !isStranger();
  calm();
  composer.enter(room(who));
  composer.setCommands(room(who).commands);
  redraw();
  people();
}

function people() {
  drawPeople(state, enter);
  const unread = [...state.rooms.values()].reduce((sum, { unread }) => sum + unread, 0);
  document.title = `${unread > 0 ? `(${unread}) ` : ''}${state.title}`;
  const down = room(state.who)?.unread ?? 0;
  $('#down-count').textContent = down > 0 ? String(down) : '';
}

/** Counts a message that the person can't have seen. */
function count(chat) {
  if (chat !== state.who || document.hidden || !atEnd()) room(chat).unread++;
}

function seen() {
  if (document.hidden || !atEnd() || !room(state.who)?.unread) return;
  room(state.who).unread = 0;
  people();
}

function redraw() {
  log.replaceChildren();
  const { entries } = room(state.who);
  if (entries.size === 0) log.append(emptyState());
  for (const entry of entries.values()) place(entry);
  log.scrollTop = log.scrollHeight;
  $('#down').hidden = true;
}

function show(entry, known) {
  const stay = !atEnd() && entry.own;
  if (known) {
    const old = log.querySelector(`[data-id="${entry.message.message_id}"]`);
    const fresh = bubble(entry, actions);
    fresh.classList.add('changed');
    old?.replaceWith(fresh);
  } else {
    log.querySelector('.empty')?.remove();
    place(entry).classList.add('new');
    if (entry.own) calm();
    if (entry.markup) composer.refresh();
    if (entry.own && entry.markup?.force_reply) composer.answer(entry);
  }
  if (!stay) log.scrollTop = log.scrollHeight;
}

function place(entry) {
  const date = day(entry.message.date);
  const days = log.querySelectorAll('.day');
  if (days[days.length - 1]?.textContent !== date)
    log.append(make('div', { class: 'day' }, make('span', {}, date)));
  const element = bubble(entry, actions);
  log.append(element);
  return element;
}

function emptyState() {
  const stranger = isStranger();
  const known = room(state.who).commands.map(({ command }) => command);
  const names =
    known.length > 0
      ? ['start', 'status', 'help'].filter((name) => known.includes(name))
      : ['start', 'status', 'help'];
  return make(
    'div',
    { class: 'empty' },
    make('div', { class: 'flask' }, stranger ? '🕵️' : '🧪'),
    make('h2', {}, t(stranger ? 'strangerTitle' : 'emptyTitle')),
    make('p', {}, t(stranger ? 'emptyStranger' : 'emptyText')),
    make('div', { class: 'chips' }, ...names.map((name) => chip(`/${name}`))),
    make('p', { class: 'note' }, t('note')),
  );
}

function chip(text) {
  return make('button', { type: 'button', class: 'chip', onclick: () => actions.say(text) }, text);
}

function atEnd() {
  return log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END;
}

function flash(element) {
  element?.scrollIntoView({ block: 'center', behavior: 'smooth' });
  element?.animate([{ opacity: 0.3 }, { opacity: 1 }], { duration: 700 });
}

function toast(text) {
  const element = make('div', { class: 'toast', role: 'status' }, text);
  $('#toasts').append(element);
  setTimeout(() => element.remove(), 4500);
}

function notice(kind) {
  $('#app').hidden = true;
  $('#notice').hidden = false;
  $('#notice-title').textContent = t(`${kind}Title`);
  $('#notice-text').textContent = t(`${kind}Text`);
  $('#notice-link').hidden = kind !== 'real';
}

function lineState(now) {
  $('#lost').hidden = now !== 'lost';
  if (now === 'login') return notice('login');
  if (now !== 'open') return;
  $('#notice').hidden = true;
  $('#app').hidden = false;
}

log.addEventListener('scroll', () => {
  $('#down').hidden = atEnd();
  seen();
});
$('#down').addEventListener('click', () => log.scrollTo({ top: log.scrollHeight, behavior: 'smooth' }));
document.addEventListener('visibilitychange', seen);
new ResizeObserver(() => atEnd() && log.scrollTo(0, log.scrollHeight)).observe(log);

const { embedded, lang, serverName } = await about();
speak(lang);
state.title = `${serverName} · ${t('title')}`;
document.title = state.title;
$('#name').textContent = serverName;
if (embedded) follow((event) => EVENTS[event.type]?.(event), lineState);
else notice('real');

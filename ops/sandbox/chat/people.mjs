import { summary } from './bubbles.mjs';
import { $, make } from './dom.mjs';
import { clock, t } from './texts.mjs';

/** Draws whom one can play: as a list beside the chat where there is room, as a switch above it where not. */
export function drawPeople({ people, rooms, who }, enter) {
  $('#people').replaceChildren(
    ...people.map((person) => card(person, rooms.get(person.id), person.id === who, enter)),
  );
  $('#switch').replaceChildren(
    ...people.map((person) =>
      make(
        'button',
        {
          type: 'button',
          title: nameOf(person),
          'aria-label': nameOf(person),
          'aria-pressed': String(person.id === who),
          onclick: () => enter(person.id),
        },
        face(person),
        make('span', { class: 'switch-name' }, nameOf(person)),
        badge(rooms.get(person.id)),
      ),
    ),
  );
}

function card(person, room, chosen, enter) {
  const last = [...room.entries.values()].at(-1);
  return make(
    'button',
    { type: 'button', class: 'person', 'aria-pressed': String(chosen), onclick: () => enter(person.id) },
    make('span', { class: `avatar ${person.role}` }, face(person)),
    make(
      'span',
      { class: 'person-facts' },
      make('strong', {}, nameOf(person)),
      make('small', {}, last ? summary(last.message) : t(`${person.role}Role`)),
    ),
    make(
      'span',
      { class: 'person-side' },
      make('time', {}, last ? clock(last.message.edit_date ?? last.message.date) : ''),
      badge(room),
    ),
  );
}

function badge(room) {
  return room.unread > 0 ? make('span', { class: 'badge' }, String(room.unread)) : undefined;
}

const face = ({ role }) => (role === 'stranger' ? '🕵️' : '🧑‍🚀');
const nameOf = ({ role, name }) => (role === 'stranger' ? t('stranger') : name);

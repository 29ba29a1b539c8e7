import { config } from '../../nodes/kit/config.js';
import { STRANGER } from './embed.js';
import type { Sandbox } from './server.js';
import type { BotCommand, User } from './telegram.js';
import type { Entry, Press, World } from './world.js';

/** Messages that the page shows of each chat. */
const SHOWN = 300;

/** Somebody whom the page can play. */
interface Persona {
  id: number;
  name: string;
  role: 'admin' | 'stranger';
}

/** One line of the page's event stream. */
export type PageEvent =
  | {
      type: 'hello';
      bot: User;
      people: Persona[];
      entries: Entry[];
      commands: Record<number, BotCommand[]>;
    }
  | { type: 'entry'; entry: Entry }
  | { type: 'deleted'; chat: number; id: number }
  | { type: 'answered'; press: Press }
  | { type: 'action'; chat: number; action: string }
  | { type: 'commands'; commands: Record<number, BotCommand[]> };

/** The admins and a stranger, who must get nothing from the bot. */
export function personas(sandbox: Sandbox): Persona[] {
  const admins = config().adminIds.map((id) => ({
    id,
    name: sandbox.world.people.get(id)?.first_name ?? `Admin ${id}`,
    role: 'admin' as const,
  }));
  return [...admins, { id: STRANGER, name: 'Stranger', role: 'stranger' }];
}

/** Everything a page needs that has just been opened. */
export function hello(sandbox: Sandbox): PageEvent {
  const people = personas(sandbox);
  return {
    type: 'hello',
    bot: sandbox.world.bot,
    people,
    entries: people.flatMap(({ id }) =>
      [...(sandbox.world.rooms.get(id)?.entries.values() ?? [])].slice(-SHOWN),
    ),
    commands: commandsOf(sandbox, people),
  };
}

/** Reports what happens in the chats until the returned function is called. */
export function follow(sandbox: Sandbox, report: (event: PageEvent) => void): () => void {
  const { events } = sandbox.world;
  const entry = (entry: Entry) => report({ type: 'entry', entry });
  const deleted = ({ message }: Entry) =>
    report({ type: 'deleted', chat: message.chat.id, id: message.message_id });
  const answered = (press: Press) => report({ type: 'answered', press });
  const action = (chat: number, action: string) => report({ type: 'action', chat, action });
  const commands = () => report({ type: 'commands', commands: commandsOf(sandbox, personas(sandbox)) });
  return subscribe(events, { sent: entry, said: entry, edited: entry, deleted, answered, action, commands });
}

function commandsOf(sandbox: Sandbox, people: Persona[]): Record<number, BotCommand[]> {
  const language = config().lang.slice(0, 2);
  return Object.fromEntries(people.map(({ id }) => [id, sandbox.commands(id, language)]));
}

type Listeners = { [name: string]: (...args: never[]) => void };

function subscribe(events: World['events'], listeners: Listeners): () => void {
  const pairs = Object.entries(listeners) as [Parameters<typeof events.on>[0], never][];
  for (const [name, listener] of pairs) events.on(name, listener);
  return () => {
    for (const [name, listener] of pairs) events.off(name, listener);
  };
}

import type { Language } from './locale.js';
import type { Message } from './messages.js';

/** What a `command` node registers under its name. */
export interface CommandSpec {
  /** Lower case, no slash, as Telegram allows: `svc_list`. */
  name: string;
  aliases: readonly string[];
  /** Labels on the keyboard below the chat that mean this command, per language; none: no button. */
  button?: Partial<Record<Language, string>>;
  /** Row and place of the button, e.g. 1.1 is the first row's first. Also the order in `/help`. */
  order: number;
  /** Key of the text that says in one line what it does. */
  description: string;
  /** Arguments as shown in help, e.g. `<start|stop|restart> <service>`. */
  usage: string;
  /** It changes something: never repeated by itself after a crash, asked again when it comes late. */
  changes: boolean;
}

/** Hands a message to the command node. */
export type Deliver = (msg: Message) => void;

/** Receives the answer to a question that a `confirm` node has asked. */
export type Answer = (id: string, yes: boolean) => void;

/**
 * The place where gate, command, confirm and say meet without knowing each other, as Node-RED's own
 * `http in` nodes meet at one web server.
 */
export class Door {
  readonly #commands = new Map<string, { spec: CommandSpec; deliver: Deliver }>();
  readonly #questions = new Map<string, Answer>();

  /**
   * Registers a command under its name; the returned function takes it away again.
   * @returns undefined when another node already has the name or an alias of it
   */
  register(spec: CommandSpec, deliver: Deliver): (() => void) | undefined {
    const names = [spec.name, ...spec.aliases];
    if (names.some((name) => this.find(name))) return undefined;
    const entry = { spec, deliver };
    this.#commands.set(spec.name, entry);
    return () => {
      if (this.#commands.get(spec.name) === entry) this.#commands.delete(spec.name);
    };
  }

  /** The command of this name or alias. */
  find(name: string): { spec: CommandSpec; deliver: Deliver } | undefined {
    const direct = this.#commands.get(name);
    if (direct) return direct;
    for (const entry of this.#commands.values()) if (entry.spec.aliases.includes(name)) return entry;
    return undefined;
  }

  /** The command whose keyboard button carries this label, in any language. */
  findButton(label: string): { spec: CommandSpec; deliver: Deliver } | undefined {
    for (const entry of this.#commands.values())
      if (Object.values(entry.spec.button ?? {}).includes(label)) return entry;
    return undefined;
  }

  /** All commands in their order. */
  list(): CommandSpec[] {
    return [...this.#commands.values()].map((entry) => entry.spec).sort((a, b) => a.order - b.order);
  }

  /** The keyboard below the chat, from the commands that have a button. */
  keyboard(lang: Language): string[][] {
    const rows = new Map<number, string[]>();
    for (const spec of this.list()) {
      const label = spec.button?.[lang];
      if (!label) continue;
      const row = Math.floor(spec.order);
      rows.set(row, [...(rows.get(row) ?? []), label]);
    }
    return [...rows.values()];
  }

  /** A `confirm` node takes the answers to the questions that it has stored under its node id. */
  onAnswer(node: string, answer: Answer): () => void {
    this.#questions.set(node, answer);
    return () => {
      if (this.#questions.get(node) === answer) this.#questions.delete(node);
    };
  }

  /** Hands an answer to the confirm node that asked. @returns whether that node is still there */
  answer(node: string, id: string, yes: boolean): boolean {
    const take = this.#questions.get(node);
    take?.(id, yes);
    return take !== undefined;
  }
}

/** The door of this process. */
export const door = new Door();

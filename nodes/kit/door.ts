import type { Language } from './locale.js';
import type { Message, Request } from './messages.js';

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
  /** It works but is not listed in `/help` nor suggested. */
  hidden?: boolean;
  /** The node that stands behind it, as a person finds it in the editor: its name or id. */
  owner?: string;
  /** The panel that it belongs to: the name of its tab. */
  panel?: string;
  /** Lines that a person could type, as things are now. */
  examples?(): string[];
}

/** Hands a message to the command node. */
export type Deliver = (msg: Message) => void;

/**
 * Receives the answer to a question that a `confirm` node has asked. The question is closed by then; the
 * answer is a request of its own, so that what follows is tracked and answered like any other.
 */
export type Answer = (id: string, yes: boolean, request: Request) => void;

/**
 * The place where gate, command, confirm and say meet without knowing each other, as Node-RED's own
 * `http in` nodes meet at one web server.
 */
export class Door {
  readonly #commands = new Map<string, { spec: CommandSpec; deliver: Deliver }>();
  readonly #questions = new Map<string, Answer>();

  /**
   * Registers a command under its name; the returned function takes it away again.
   * @returns undefined when another command already has the name, an alias or a button label of it
   */
  register(spec: CommandSpec, deliver: Deliver): (() => void) | undefined {
    if (this.clash(spec)) return undefined;
    const entry = { spec, deliver };
    this.#commands.set(spec.name, entry);
    return () => {
      if (this.#commands.get(spec.name) === entry) this.#commands.delete(spec.name);
    };
  }

  /** What stands in the way of registering a command: the name or label that is taken, and by which one. */
  clash(spec: CommandSpec): { what: string; by: CommandSpec } | undefined {
    for (const what of [spec.name, ...spec.aliases]) {
      const found = this.find(what);
      if (found) return { what, by: found.spec };
    }
    for (const what of Object.values(spec.button ?? {})) {
      const found = this.findButton(what);
      if (found) return { what, by: found.spec };
    }
    return undefined;
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
    const wanted = plainLabel(label);
    if (wanted === '') return undefined;
    for (const entry of this.#commands.values())
      if (Object.values(entry.spec.button ?? {}).some((own) => plainLabel(own) === wanted)) return entry;
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
  answer(node: string, id: string, yes: boolean, request: Request): boolean {
    const take = this.#questions.get(node);
    take?.(id, yes, request);
    return take !== undefined;
  }
}

// Clients differ in whether they send an emoji with its variation selector.
function plainLabel(label: string): string {
  return label.normalize('NFC').replaceAll('\uFE0F', '').trim();
}

/** The door of this process. */
export const door = new Door();

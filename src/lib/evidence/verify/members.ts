/** Members of JSON that a schema does not know, and that are therefore not verified. */

/** How many are listed. */
const MOST = 100;
/** Names that need no quotes. */
const PLAIN = /^[\w-]{1,60}$/;

/** Collects the paths of members, each once; `[]` stands for any item of a list. */
export class MemberNames {
  readonly #names = new Set<string>();
  #more = false;

  add(path: string): void {
    if (this.#names.size < MOST) this.#names.add(path);
    else if (!this.#names.has(path)) this.#more = true;
  }

  /**
   * Adds the members of `value` that `read` does not have.
   * @param read what a schema made of `value`: the same without the members that the schema does not know
   * @param at path of `value`; empty at the top
   */
  addUnread(value: unknown, read: unknown, at = ''): void {
    if (typeof value !== 'object' || value === null || typeof read !== 'object' || read === null) return;
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) this.addUnread(item, (read as unknown[])[index], `${at}[]`);
      return;
    }
    for (const [name, member] of Object.entries(value)) {
      const path = within(at, name);
      if (Object.hasOwn(read, name)) this.addUnread(member, (read as Record<string, unknown>)[name], path);
      else this.add(path);
    }
  }

  /** In the order in which they were added. */
  list(): string[] {
    return this.#more ? [...this.#names, 'others'] : [...this.#names];
  }
}

function within(at: string, name: string): string {
  const shown = PLAIN.test(name) ? name : JSON.stringify(name.slice(0, 60));
  return at === '' ? shown : `${at}.${shown}`;
}

/** One copy of each text, with a number for it: many entries repeat the same few. */
export class Texts {
  readonly #numbers = new Map<unknown, number>();
  readonly #texts: unknown[] = [];

  numberOf(text: unknown): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    this.#numbers.set(text, this.#texts.length);
    return this.#texts.push(text) - 1;
  }

  at(number: number): unknown {
    return this.#texts[number];
  }
}

/** @param members paths of what nothing in the pack can be compared with */
export function asSigned(file: string, members: readonly string[]): string {
  const list = members.length === 1 ? members[0] : `${members.slice(0, -1).join(', ')} and ${members.at(-1)}`;
  return `${list} in ${file}: as signed, but not compared with the log`;
}

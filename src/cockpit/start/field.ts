import { h, replace } from '../dom.js';

interface FieldOptions {
  /** Name of the argument that it becomes; errors of the daemon name it. */
  name: string;
  label: string;
  /** What to write, and what is used where nothing is. */
  hint?: string;
  required?: boolean;
  /** Suggestions; anything else may be written too. */
  list?: readonly string[];
  value?: string;
  /** A number, in this unit. */
  unit?: string;
}

/** An input with its label, its hint, and the place where what is wrong with it is said. */
export class Field {
  readonly element: HTMLElement;
  readonly input: HTMLInputElement;
  readonly #hint: HTMLElement;
  readonly #problem: HTMLElement;

  constructor(readonly options: FieldOptions) {
    const { name, label, hint = '', required = false, list, value = '', unit } = options;
    const id = `start-${name}`;
    this.input = h('input', {
      id,
      value,
      required,
      autocomplete: 'off',
      spellcheck: 'false',
      list: list && `${id}-list`,
      class: unit === undefined ? null : 'number',
      'aria-describedby': `${id}-hint ${id}-problem`,
    });
    this.#hint = h('p', { class: 'quiet', id: `${id}-hint` }, hint);
    this.#problem = h('p', { class: 'bad', id: `${id}-problem` });
    this.element = h(
      'div',
      { class: 'field' },
      h('label', { for: id }, label),
      h(
        'div',
        { class: 'with-unit' },
        this.input,
        unit !== undefined && unit !== '' && h('span', { class: 'quiet' }, unit),
      ),
      list &&
        h(
          'datalist',
          { id: `${id}-list` },
          list.map((one) => h('option', { value: one })),
        ),
      this.#problem,
      this.#hint,
    );
  }

  get text(): string {
    return this.input.value.trim();
  }

  hint(text: string): void {
    replace(this.#hint, text);
  }

  /** @param text what is wrong; null: nothing is */
  problem(text: string | null): void {
    replace(this.#problem, text);
    if (text === null) this.input.removeAttribute('aria-invalid');
    else this.input.setAttribute('aria-invalid', 'true');
  }

  /**
   * The number that was written; undefined: none was. What is none is said here.
   * @param read NaN for what is no number
   */
  number(read: (text: string) => number, example: string): number | undefined {
    if (this.text === '') return undefined;
    const value = read(this.text);
    if (!Number.isNaN(value)) return value;
    this.problem(`${JSON.stringify(this.text)} is not a valid value. Write e.g. ${example}.`);
    return Number.NaN;
  }
}

/** `2%` and `0.02` are the same share. */
export function shareOf(text: string): number {
  const percent = /^(.+?)\s*%$/.exec(text)?.[1];
  // Of as many digits as were written: 2.3 / 100 is 0.023.
  return percent === undefined ? plainNumber(text) : Number((plainNumber(percent) / 100).toPrecision(12));
}

export function plainNumber(text: string): number {
  return /^[+-]?(\d+(\.\d*)?|\.\d+)$/.test(text) ? Number(text) : Number.NaN;
}

export function milliseconds(text: string): number {
  return plainNumber(text.replace(/\s*ms$/, ''));
}

import { breathe } from './breathe.js';
import { h, on } from './dom.js';
import { table } from './table.js';

type Cells = readonly (Node | string)[];

/** A table behind a chart: its rows are made when it is opened, some at a time, and those that came since are added. */
export class LongTable {
  readonly element = on(h('details'), { toggle: () => void this.#fill() });
  readonly #summary = h('summary');
  readonly #body: HTMLTableSectionElement;
  #count = 0;
  #rowAt: (i: number) => Cells = () => [];
  #filling = false;

  constructor(name: string, head: readonly string[]) {
    const whole = table(name, head, []);
    this.#body = whole.querySelector('tbody')!;
    this.element.append(this.#summary, whole);
  }

  /** @param rowAt rows that have been asked for once stay the same */
  update(summary: string, count: number, rowAt: (i: number) => Cells): void {
    this.#summary.textContent = summary;
    this.#count = count;
    this.#rowAt = rowAt;
    void this.#fill();
  }

  async #fill(): Promise<void> {
    if (this.#filling || !this.element.open) return;
    this.#filling = true;
    for (let i = this.#body.rows.length; i < this.#count && this.element.isConnected; i++) {
      this.#body.append(
        h(
          'tr',
          {},
          this.#rowAt(i).map((cell) => h('td', {}, cell)),
        ),
      );
      await breathe();
    }
    this.#filling = false;
  }
}

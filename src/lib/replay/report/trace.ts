import type { Observation } from '../../judge/index.js';

/** What is drawn at one place of a chart: a value (`low` equals `high`), or a range. */
export interface Sample {
  /** ms since the epoch. */
  t: number;
  low: number;
  high: number;
  /** Nothing is missing between the previous sample and this one. */
  joined: boolean;
  /** Something is missing between the values that were put together here. */
  broken: boolean;
}

/** Span of time a chart covers, ms since the epoch, and in how many columns. */
export interface Frame {
  from: number;
  to: number;
  columns: number;
  /** More values than this are put together column by column. */
  most: number;
}

type Span = Pick<Observation, 'from' | 't'>;

/**
 * Values over time in bounded memory: the least and the greatest of each column of pixels are kept. A gap stays one: what
 * lies on both sides of it is never joined, however narrow it is.
 */
export class Trace {
  readonly samples: Sample[] = [];
  /** Where there is nothing, ms since the epoch. */
  readonly gaps: [number, number][] = [];
  #column = -1;
  #last: number;
  #open = true;
  readonly #thin: boolean;

  /** @param count values that may come */
  constructor(
    readonly frame: Frame,
    count: number,
  ) {
    this.#thin = count > frame.most;
    this.#last = frame.from;
  }

  add(span: Span, low: number, high = low): void {
    this.carry(span);
    const joined = !this.#open;
    this.#open = false;
    const column = this.#thin ? this.#columnOf(span.t) : this.#column + 1;
    const here = this.samples.at(-1);
    if (here === undefined || column !== this.#column) {
      this.#column = column;
      this.samples.push({ t: span.t, low, high, joined: joined && here?.broken !== true, broken: false });
      return;
    }
    here.low = Math.min(here.low, low);
    here.high = Math.max(here.high, high);
    if (joined) return;
    here.broken = true;
    here.joined = false;
  }

  /** Something was measured in this span that is not drawn. */
  carry({ from, t }: Span): void {
    if (from > this.#last) this.gap({ from: this.#last, t: from });
    this.#last = Math.max(this.#last, t);
  }

  /** Nothing was measured in this span. */
  gap({ from, t }: Span): void {
    const begin = Math.max(this.#last, from);
    if (t <= begin) return;
    this.#open = true;
    this.#last = Math.max(this.#last, t);
    const before = this.gaps.at(-1);
    const narrow = this.#thin ? (this.frame.to - this.frame.from) / this.frame.columns : 0;
    if (before !== undefined && begin - before[1] <= narrow) before[1] = this.#last;
    else this.gaps.push([begin, this.#last]);
  }

  #columnOf(t: number): number {
    const { from, to, columns } = this.frame;
    return Math.min(columns - 1, Math.floor(((t - from) / Math.max(1, to - from)) * columns));
  }
}

import type { TextAnswer } from '../http.js';
import { type KnownSeries, readNewest } from './newest.js';
import { type ApiAnswer, type ApiSeries, readAnswer } from './parse.js';
import { PROCESS_START, UP } from './plan.js';

/** Of all selectors together; some hundred bytes each. */
const MOST_KNOWN = 60_000;

/** The series that were in the last answer to each selector. */
export class SeriesKnown {
  private readonly bySelector = new Map<string, readonly KnownSeries[]>();
  private count = 0;

  of(selector: string): readonly KnownSeries[] {
    return this.bySelector.get(selector) ?? [];
  }

  keep(selector: string, series: readonly KnownSeries[]): void {
    this.count += series.length - this.of(selector).length;
    if (this.count > MOST_KNOWN) {
      this.bySelector.clear();
      this.count = series.length;
    }
    this.bySelector.set(selector, series);
  }
}

/** One answer for all who ask the same at about the same time; what they want of it is read once. */
export class SharedAnswer {
  private all: ApiAnswer | null = null;
  private newest: { since: number; answer: ApiAnswer } | null = null;

  constructor(
    private readonly text: TextAnswer,
    private readonly endpoint: URL,
    private readonly known: SeriesKnown,
  ) {}

  whole(): ApiAnswer {
    this.all ??= readAnswer(this.text, this.endpoint);
    return this.all;
  }

  /** @param since as `PrometheusAnswers.samples` */
  since(selector: string, since: number): ApiAnswer {
    if (this.all !== null) return this.all;
    if (this.newest?.since !== since) this.newest = { since, answer: this.read(selector, since) ?? this.whole() };
    return this.newest.answer;
  }

  private read(selector: string, since: number): ApiAnswer | null {
    const { text } = this;
    if (!text.ok) return null;
    const newest = readNewest(text.body, this.known.of(selector), since, isOfProcess);
    const rest = newest && readAnswer({ ...text, body: newest.rest }, this.endpoint);
    // A member that is there twice counts the second time.
    if (!rest?.ok || rest.type !== 'matrix' || rest.series.length > 0) return null;
    this.known.keep(selector, newest!.known);
    return { ...rest, series: newest!.series, whole: () => this.whole() };
  }
}

/** What is said of series that have ended is compared with when the process was scraped. */
function isOfProcess({ __name__: name }: ApiSeries['metric']): boolean {
  return name === UP || name === PROCESS_START;
}

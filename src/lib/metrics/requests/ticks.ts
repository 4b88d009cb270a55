import type { ArmReading, Observation } from '../../judge/index.js';
import type { Request } from './columns.js';

export type Arm = 'canary' | 'baseline';

export interface TickOptions {
  /** Length of a tick, ms. */
  everyMs: number;
  /** Ticks for which a request may come late. */
  lateTicks: number;
  /** Bounds, rising; null: not measured. Latency in ms. */
  latency: readonly number[] | null;
  score: readonly number[] | null;
  errors: boolean;
  baseline: boolean;
}

interface Count {
  total: number;
  bad: number;
  latency: number[];
  score: number[];
}
type Tick = Record<Arm, Count>;

/** So many empty ticks in a row are a time that was misread, not a pause. */
export const LONGEST_GAP_TICKS = 100_000;

/**
 * Sorts requests into ticks on a grid of whole `everyMs`. A tick is given out once no request can fall into it any more;
 * one without requests counts zero. Holds `lateTicks` ticks at most. Pure but for its own state.
 */
export class Ticks {
  private readonly open = new Map<number, Tick>();
  /** The next tick to give out; null before the first request. */
  private next: number | null = null;
  private newest = Number.NEGATIVE_INFINITY;
  private given = 0;

  constructor(private readonly options: TickOptions) {}

  /** @returns in words why a request cannot be counted; null: it was */
  add(arm: Arm, request: Request): string | null {
    const at = Math.floor(request.at / this.options.everyMs);
    const { lateTicks } = this.options;
    if (at <= this.newest - lateTicks || (this.given > 0 && at < this.next!))
      return `is more than ${this.seconds(lateTicks - 1)} earlier than a request before it`;
    if (at - this.newest > LONGEST_GAP_TICKS && this.newest >= 0)
      return `is ${this.seconds(at - this.newest)} later than all requests before it`;
    this.newest = Math.max(this.newest, at);
    if (this.given === 0) this.next = Math.min(this.next ?? at, at);
    let tick = this.open.get(at);
    if (tick === undefined) {
      tick = { canary: this.zero(), baseline: this.zero() };
      this.open.set(at, tick);
    }
    count(tick[arm], request, this.options);
    return null;
  }

  /** Whether a tick is complete. */
  get ready(): boolean {
    return this.next !== null && this.next <= this.newest - this.options.lateTicks;
  }

  /** Ticks that are complete; with `all`, all. */
  *take(all = false): Generator<Observation> {
    const last = all ? this.newest : this.newest - this.options.lateTicks;
    while (this.next !== null && this.next <= last) {
      const tick = this.open.get(this.next);
      this.open.delete(this.next);
      this.given += 1;
      yield this.observation(this.next, tick ?? { canary: this.zero(), baseline: this.zero() });
      this.next += 1;
    }
  }

  private observation(at: number, tick: Tick): Observation {
    const { everyMs, baseline } = this.options;
    return {
      v: 1,
      tick: this.given,
      t: (at + 1) * everyMs,
      from: at * everyMs,
      canary: this.reading(tick.canary),
      ...(baseline ? { baseline: this.reading(tick.baseline) } : {}),
    };
  }

  private reading({ total, bad, latency, score }: Count): ArmReading {
    const { options } = this;
    return {
      ...(options.errors ? { errors: { state: 'ok' as const, bad, total } } : {}),
      ...(options.latency === null
        ? {}
        : { latency: { state: 'ok' as const, bounds: [...options.latency], counts: latency } }),
      ...(options.score === null ? {} : { score: { state: 'ok' as const, bounds: [...options.score], counts: score } }),
    };
  }

  private zero(): Count {
    const zeros = (bounds: readonly number[] | null) => new Array<number>((bounds?.length ?? 0) + 1).fill(0);
    return { total: 0, bad: 0, latency: zeros(this.options.latency), score: zeros(this.options.score) };
  }

  private seconds(ticks: number): string {
    return `${(ticks * this.options.everyMs) / 1000} s`;
  }
}

function count(into: Count, { ok, latency, score }: Request, options: TickOptions): void {
  into.total += 1;
  if (ok === false) into.bad += 1;
  if (latency !== undefined && options.latency !== null) into.latency[bucket(options.latency, latency)]! += 1;
  if (score !== undefined && options.score !== null) into.score[bucket(options.score, score)]! += 1;
}

/** Index of the first bound that is not below the value; their number where all are. */
function bucket(bounds: readonly number[], value: number): number {
  let [low, high] = [0, bounds.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bounds[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

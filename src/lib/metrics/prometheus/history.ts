import type { Missing } from '../../judge/index.js';
import { showLabels } from '../labels.js';
import type { PrometheusApi } from './api.js';
import type { ApiSeries, RawSample } from './parse.js';

interface Kept {
  metric: Record<string, string>;
  /** Oldest first. */
  samples: RawSample[];
  /** Their times, ms since the epoch. */
  times: number[];
}

/** What looks may ask for, ms. */
interface Bounds {
  from: number;
  to: number;
  /** The furthest back that a look reads. */
  reach: number;
}

/** The first piece is as long as the longest range that a live look reads; later ones are as long as answers stay small. */
const FIRST_PIECE_MS = 300_000;
const SHORTEST_PIECE_MS = 30_000;
const LONGEST_PIECE_MS = 6 * 3_600_000;
const FEW_SAMPLES = 20_000;
const MANY_SAMPLES = 100_000;

/** Raw samples of what one selector names, fetched piece by piece and dropped when no look can reach them any more. */
export class History {
  readonly warnings = new Set<string>();
  readonly seriesSeen = new Set<string>();
  /** Times between two samples of a series, ms, and how often each came. */
  readonly gaps = new Map<number, number>();
  samples = 0;
  private readonly kept = new Map<string, Kept>();
  /** Everything up to here has been fetched. */
  private until: number;
  private piece = FIRST_PIECE_MS;

  constructor(
    private readonly api: PrometheusApi,
    private readonly selector: string,
    private readonly bounds: Bounds,
  ) {
    this.until = bounds.from - bounds.reach;
  }

  /** @returns why the rest could not be read; null when everything up to `at` is here */
  async fetchUntil(at: number, signal?: AbortSignal): Promise<Missing | null> {
    while (this.until < at) {
      const end = Math.min(this.bounds.to, this.until + this.piece);
      // A second more: whether a range includes its beginning depends on the version of Prometheus.
      const seconds = Math.ceil((end - this.until) / 1000) + 1;
      const answer = await this.api.queryAt(`${this.selector}[${seconds}s]`, end, signal);
      if (!answer.ok || answer.type !== 'matrix') {
        const missing = answer.ok ? notRange(answer.type) : answer.missing;
        // An answer may be larger than Prometheus, or this end, takes on at once.
        if (missing.state !== 'invalid' || this.piece <= SHORTEST_PIECE_MS) return missing;
        this.piece = Math.max(SHORTEST_PIECE_MS, this.piece / 2);
        continue;
      }
      for (const text of answer.warnings) this.warnings.add(text);
      this.dropBefore(at - this.bounds.reach);
      const taken = answer.series.reduce((all, series) => all + this.take(series, this.until, end), 0);
      this.samples += taken;
      this.until = end;
      if (taken < FEW_SAMPLES) this.piece = Math.min(LONGEST_PIECE_MS, this.piece * 2);
      else if (taken > MANY_SAMPLES) this.piece = Math.max(SHORTEST_PIECE_MS, this.piece / 2);
    }
    return null;
  }

  /** Samples after `from`, up to `to`: what Prometheus would have answered at `to`. Times are ms since the epoch. */
  within(from: number, to: number): ApiSeries[] {
    const found: ApiSeries[] = [];
    for (const { metric, samples, times } of this.kept.values()) {
      const [begin, end] = [firstAfter(times, from), firstAfter(times, to)];
      if (end > begin) found.push({ metric, values: samples.slice(begin, end) });
    }
    return found;
  }

  private take({ metric, values = [] }: ApiSeries, after: number, until: number): number {
    const key = showLabels(metric);
    const known = this.kept.get(key) ?? { metric, samples: [], times: [] };
    this.kept.set(key, known);
    this.seriesSeen.add(key);
    const before = known.times.length;
    for (const sample of values) {
      const t = Math.round(sample[0] * 1000);
      if (t <= after || t > until) continue;
      const last = known.times.at(-1);
      if (last !== undefined) this.countGap(t - last);
      known.samples.push(sample);
      known.times.push(t);
    }
    return known.times.length - before;
  }

  /** Rounded to a tenth of a second: scrapes are not exact to the millisecond. */
  private countGap(ms: number): void {
    const rounded = Math.max(100, Math.round(ms / 100) * 100);
    this.gaps.set(rounded, (this.gaps.get(rounded) ?? 0) + 1);
  }

  private dropBefore(time: number): void {
    for (const [key, { samples, times }] of this.kept) {
      const end = firstAfter(times, time);
      samples.splice(0, end);
      times.splice(0, end);
      if (times.length === 0) this.kept.delete(key);
    }
  }
}

function notRange(type: string): Missing {
  return { state: 'invalid', detail: `asked for a range, Prometheus answered a ${type}` };
}

/** Index of the first time after `time`. */
function firstAfter(times: readonly number[], time: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}

import { z } from 'zod';
import { LukhasError } from '../errors.js';
import type { ArmReading, CountSignal, HistogramSignal, Missing } from '../judge/index.js';
import {
  countProblem,
  differenceHistogram,
  type HistogramTotals,
  type Increments,
  readHistograms,
  sumHistograms,
} from './counting/index.js';
import { type Labels, labelMatcher, type Series, showLabels } from './labels.js';
import type { Selector } from './promql/index.js';
import type { Signals } from './signals/index.js';

export type { Series } from './labels.js';

/** Names of the metrics to read and the labels that tell the arms apart. */
export interface MetricNames {
  /** Histogram's base name, without `_bucket`. */
  latency: string;
  /** Unit of the latency histogram's bounds. */
  latencyUnit: 's' | 'ms';
  requests: string;
  requestLabels: Record<string, string>;
  errors: string;
  errorLabels: Record<string, string>;
  errorsAbsent: 'no_data' | 'zero';
  score: string | null;
  inflight: string | null;
}

/** Signals as far as this engine can count them. */
export function namesOf({ requests, errors, histograms, drift, inflight }: Signals): MetricNames {
  const [all, bad] = [requests, errors].map((sum) => (sum?.terms.length === 1 ? sum.terms[0]!.selector : null));
  const { latency } = histograms;
  if (!all || !bad || !latency) throw new LukhasError('CONFIG', 'signals: sums are not counted yet');
  return {
    latency: latency.name,
    latencyUnit: latency.unit === 's' ? 's' : 'ms',
    requests: all.name,
    requestLabels: labelsOf(all),
    errors: bad.name,
    errorLabels: labelsOf(bad),
    errorsAbsent: errors!.absent,
    score: drift?.kind === 'histogram' ? drift.histogram.name : null,
    inflight: inflight?.name ?? null,
  };
}

function labelsOf({ matchers }: Selector): Record<string, string> {
  return Object.fromEntries(matchers.map(({ label, op, value }) => [label, op === '=' ? value : `/${value}/`]));
}

/** What one look found of one arm. */
interface ArmSamples {
  /** Series of this arm alone, of all names that `seriesNames` asks for; others are ignored. */
  series: readonly Series[];
  /** When the look was taken, milliseconds since the epoch. */
  at: number;
  /** Samples taken before this time (ms since the epoch) do not count; a signal with no others is `stale`. */
  staleBefore?: number;
}

const valuesSchema = z.record(z.string(), z.number());
const histogramsSchema = z.record(z.string(), z.object({ bounds: z.array(z.number()), totals: z.array(z.number()) }));
const time = z.number();
const started = time.nullable();

/** Where the counters stood at the last look, by series. Plain JSON; series that vanish stay, as they may return. */
export const armCursorSchema = z.object({
  at: time,
  requests: valuesSchema,
  errors: valuesSchema,
  latency: histogramsSchema,
  score: histogramsSchema,
  /** Increments not given out yet, because the other half of the ratio was missing. */
  carry: z.object({ bad: z.number(), total: z.number() }),
  /** Up to when the increments of each signal have been given out; null: it has no starting point yet. */
  since: z.object({ errors: started, latency: started, score: started }),
  /** Newest timestamp of each signal's series, if the source gives timestamps. */
  newest: z.object({ errors: time, latency: time, score: time }).partial(),
});
export type ArmCursor = z.infer<typeof armCursorSchema>;

type SignalName = keyof ArmCursor['since'];
type CounterName = 'requests' | 'errors';
type Difference = { state: 'ok'; increment: number } | Missing;

/** Names of all series that `armReading` looks at. */
export function seriesNames(names: MetricNames): string[] {
  const histograms = names.score === null ? [names.latency] : [names.latency, names.score];
  const single = [names.requests, names.errors, ...(names.inflight === null ? [] : [names.inflight])];
  return [...new Set([...single, ...histograms.flatMap((name) => [`${name}_bucket`, `${name}_count`])])];
}

/**
 * Turns cumulative series into the increments since the previous look. Each series is differenced by itself, then
 * summed: a pod that restarts must not be hidden by another that counts on. A series that is new counts from zero (its
 * labels were first used within the span); a value lower than before is a reset, and counts from zero too.
 * A signal that was missing covers, once it is back, everything since it was last there; a note says so.
 */
export function armReading(
  samples: ArmSamples,
  previous: ArmCursor | null,
  names: MetricNames,
): { reading: ArmReading; cursor: ArmCursor; notes: string[] } {
  const arm = new Arm(samples, previous, names);
  const reading: ArmReading = {
    errors: arm.errors(names),
    latency: arm.histogram('latency', names.latency, names.latencyUnit === 's' ? 1000 : 1),
  };
  if (names.score !== null) reading.score = arm.histogram('score', names.score, 1);
  const inflight = names.inflight === null ? null : arm.gauge(names.inflight);
  if (inflight !== null) reading.inflight = inflight;
  if (arm.resets > 0) reading.resets = arm.resets;
  return { reading, cursor: arm.cursor, notes: arm.notes };
}

class Arm {
  readonly notes: string[] = [];
  readonly cursor: ArmCursor;
  resets = 0;
  private readonly byName: Map<string, Series[]>;
  private readonly staleBefore: number;

  constructor(
    samples: ArmSamples,
    private readonly previous: ArmCursor | null,
    names: MetricNames,
  ) {
    this.cursor = startingPoint(samples.at, previous);
    this.staleBefore = samples.staleBefore ?? Number.NEGATIVE_INFINITY;
    this.byName = new Map(seriesNames(names).map((name) => [name, []]));
    for (const sample of samples.series) this.byName.get(sample.name)?.push(sample);
  }

  errors(names: MetricNames): CountSignal {
    const requests = this.matching(names.requests, names.requestLabels);
    const errors = this.matching(names.errors, names.errorLabels);
    if (this.unchanged('errors', [...requests, ...errors])) return { state: 'unchanged' };
    const total = this.counter('requests', names.requests, names.requestLabels, requests);
    const bad =
      errors.length > 0
        ? this.counter('errors', names.errors, names.errorLabels, errors)
        : this.noFailures(names, requests);
    const { carry } = this.cursor;
    if (total.state === 'ok') carry.total += total.increment;
    if (bad.state === 'ok') carry.bad += bad.increment;
    if (total.state !== 'ok') return this.missing('errors', total);
    if (bad.state !== 'ok') return this.missing('errors', bad);
    return this.covered('errors') ? this.takeCarry() : { state: 'first' };
  }

  histogram(signal: 'latency' | 'score', name: string, scale: number): HistogramSignal {
    const series = [...this.named(`${name}_bucket`), ...this.named(`${name}_count`)];
    if (this.unchanged(signal, series)) return { state: 'unchanged' };
    const histograms = this.noData(`${name}_bucket`, {}, series) ?? readHistograms(name, series, scale);
    if (!(histograms instanceof Map)) return this.missing(signal, histograms);
    if (histograms.size === 0) return this.missing(signal, { state: 'absent', detail: `no series ${name}_bucket` });
    const parts = this.advance(signal, histograms);
    if (!this.covered(signal)) return { state: 'first' };
    if (parts === null) return { state: 'invalid', detail: `${name}: buckets contradict the previous check` };
    const merged = sumHistograms(parts);
    if (merged === null) return { state: 'invalid', detail: `${name}: its series have no bucket bound in common` };
    if (!merged.same) {
      this.notes.push(`${name}: series differ in bucket bounds, read at the ${merged.sum.bounds.length} that all have`);
    }
    return { state: 'ok', ...merged.sum };
  }

  /** Sum of a gauge; null, with a note, when it is not a number one can count with. */
  gauge(name: string): number | null {
    const series = this.named(name).filter(({ t }) => t === undefined || t >= this.staleBefore);
    if (series.length === 0) return null;
    const sum = series.reduce((all, { value }) => all + value, 0);
    const problem = countProblem(sum);
    if (problem === null) return sum;
    this.notes.push(`${name} is ${problem}: left out`);
    return null;
  }

  private advance(signal: 'latency' | 'score', histograms: Map<string, HistogramTotals>): Increments[] | null {
    const parts: Increments[] = [];
    let torn = false;
    for (const [key, totals] of histograms) {
      const difference = differenceHistogram(totals, this.previous?.[signal][key]);
      this.cursor[signal][key] = totals;
      if (difference === null) torn = true;
      else parts.push(difference.increments);
      if (difference?.reset) this.resets += 1;
    }
    return torn ? null : parts;
  }

  private counter(kind: CounterName, name: string, labels: Labels, series: readonly Series[]): Difference {
    const nothing = this.noData(name, labels, series);
    if (nothing !== null) return nothing;
    const values: Record<string, number> = {};
    let [increment, resets] = [0, 0];
    for (const sample of series) {
      const key = showLabels(sample.labels);
      const { value } = sample;
      const problem = countProblem(value);
      if (problem !== null) return { state: 'invalid', detail: `${name}${key} is ${problem}` };
      if (key in values) return { state: 'invalid', detail: `${name}${key} is given twice` };
      const last = this.previous?.[kind][key] ?? 0;
      if (value < last) resets += 1;
      increment += value < last ? value : value - last;
      values[key] = value;
    }
    Object.assign(this.cursor[kind], values);
    this.resets += resets;
    return { state: 'ok', increment: this.cursor.since.errors === null ? 0 : increment };
  }

  /**
   * Two counters of one service are not read in the same instant: an error may be counted a moment before its request.
   * What exceeds the requests waits for the next look, so that no error is lost.
   */
  private takeCarry(): CountSignal {
    const { bad, total } = this.cursor.carry;
    if (bad > total) this.notes.push(`errors: ${bad} errors in ${total} requests; the excess counts in the next check`);
    this.cursor.carry = { bad: Math.max(0, bad - total), total: 0 };
    return { state: 'ok', bad: Math.min(bad, total), total };
  }

  /**
   * No series has the labels of a failure. Where failures are told apart by a label of the very counter of requests, and
   * all its series carry that label, nothing may have failed yet; or the label's value is misspelt. Only the user knows.
   */
  private noFailures({ requests, errors, errorLabels, errorsAbsent }: MetricNames, all: readonly Series[]): Difference {
    const labels = Object.keys(errorLabels);
    const detail = `no series ${shownSelector(errors, errorLabels)}`;
    const named = this.named(errors);
    if (labels.length === 0 || named.length === 0) return { state: 'absent', detail };
    const mayBeZero = errors === requests && all.length > 0 && all.every((s) => labels.every((k) => k in s.labels));
    if (mayBeZero && errorsAbsent === 'zero') return { state: 'ok', increment: 0 };
    const hint = '; if that only means that nothing has failed yet, set metrics.errorsAbsent: zero';
    return { state: 'absent', detail: `${detail} (${seenValues(named, labels)})${mayBeZero ? hint : ''}` };
  }

  private named(name: string): readonly Series[] {
    return this.byName.get(name) ?? [];
  }

  private matching(name: string, labels: Labels): readonly Series[] {
    const matches = labelMatcher(labels);
    return this.named(name).filter((sample) => matches(sample.labels));
  }

  private noData(name: string, labels: Labels, series: readonly Series[]): Missing | null {
    const shown = shownSelector(name, labels);
    if (series.length === 0) return { state: 'absent', detail: `no series ${shown}` };
    const newest = newestOf(series) ?? this.cursor.at;
    if (newest >= this.staleBefore) return null;
    const age = Math.round((this.cursor.at - newest) / 1000);
    return { state: 'stale', detail: `newest sample of ${shown} is ${age} s old` };
  }

  /** Whether the source gives timestamps, and the same ones as at the previous look. */
  private unchanged(signal: SignalName, series: readonly Series[]): boolean {
    const newest = newestOf(series);
    if (newest === null || newest < this.staleBefore) return false;
    const { since } = this.cursor;
    if (this.previous?.newest[signal] !== newest) {
      this.cursor.newest[signal] = newest;
      return false;
    }
    if (since[signal] === this.previous.at) since[signal] = this.cursor.at;
    return true;
  }

  /**
   * A signal that is absent while the arm shows others starts from zero: its series are made when first used. Of an
   * arm that shows nothing, or of a stale or broken signal, nobody knows what it has counted already.
   */
  private missing(signal: SignalName, why: Missing): Missing {
    const { at, since } = this.cursor;
    const seen = [...this.byName.values()].some((series) => series.length > 0);
    if (since[signal] === null && why.state === 'absent' && seen) since[signal] = at;
    return why;
  }

  /** Marks the signal as given out up to now. @returns false when this is only its starting point. */
  private covered(signal: SignalName): boolean {
    const { at, since } = this.cursor;
    const from = since[signal];
    since[signal] = at;
    if (from === null) return false;
    if (this.previous !== null && from < this.previous.at) {
      this.notes.push(`${signal}: counts cover ${Math.round((at - from) / 1000)} s, since it was last there`);
    }
    return true;
  }
}

function shownSelector(name: string, labels: Labels): string {
  return Object.keys(labels).length === 0 ? name : `${name}${showLabels(labels)}`;
}

const MOST_SEEN = 8;

/** Values that series have for these labels, as in `status seen: 200, 503`. */
function seenValues(series: readonly Series[], labels: readonly string[]): string {
  const seen = labels.map((label) => {
    const values = [...new Set(series.flatMap((sample) => sample.labels[label] ?? []))].sort();
    const shown = [...values.slice(0, MOST_SEEN), ...(values.length > MOST_SEEN ? ['...'] : [])];
    return `${label} seen: ${shown.length === 0 ? 'none' : shown.join(', ')}`;
  });
  return seen.join('; ');
}

/** Newest timestamp, or null when a sample has none. */
function newestOf(series: readonly Series[]): number | null {
  let newest: number | null = null;
  for (const { t } of series) {
    if (t === undefined) return null;
    if (newest === null || t > newest) newest = t;
  }
  return newest;
}

function startingPoint(at: number, previous: ArmCursor | null): ArmCursor {
  if (previous !== null) {
    // As deep as anything is changed: totals are replaced whole.
    const { requests, errors, latency, score, carry, since, newest } = previous;
    const values = { requests: { ...requests }, errors: { ...errors }, latency: { ...latency }, score: { ...score } };
    return { at, ...values, carry: { ...carry }, since: { ...since }, newest: { ...newest } };
  }
  const nothing = { requests: {}, errors: {}, latency: {}, score: {}, newest: {} };
  return { at, ...nothing, carry: { bad: 0, total: 0 }, since: { errors: null, latency: null, score: null } };
}

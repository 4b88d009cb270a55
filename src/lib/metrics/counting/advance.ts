import { compare, createdAnew, hiddenAt } from './compare.js';
import { elapsedSince, type ProcessCursor } from './cursor.js';
import { type InFlight, inFlight } from './flight.js';
import { differenceHistogram, type HistogramTotals, type Increments, isNoise } from './histogram.js';
import { startBefore, startOf } from './identity.js';
import type { Plan } from './plan.js';
import { histogramKey, type ProcessLook } from './processes.js';
import type { Verdict } from './verdict.js';

/** What one histogram signal counted in one process; `torn`: its buckets contradict those of the last look. */
export interface HistogramPart {
  parts: Increments[];
  /** Histograms that got a starting point alone. */
  started: number;
  torn: boolean;
  /** What they rose by where that cannot be believed. */
  left: Increments[];
}

export interface Advance {
  cursor: ProcessCursor;
  histograms: HistogramPart[];
  /** Of differences of counters: the requests that it serves. */
  flight: InFlight | null;
  /** First values that are no counts of this look: more than can have been counted since the last one. */
  tooLarge: { name: string; value: number } | null;
}

export interface AdvanceContext {
  plan: Plan;
  begin: number;
  staleBefore: number;
  /** The most that a new series can have counted since the last look. */
  most: number;
  /** Histograms of the plan that cannot be read at this look: what they count waits. */
  blocked: ReadonlySet<number>;
  /** Of a process seen for the first time beside others: whether all that it shows can have been counted since the last look. */
  isYoung: boolean;
}

/** A series' creation may be told by another clock than that of the looks. */
const CREATED_SKEW_MS = 60_000;
const RATE_DECAY = 0.9;

/** What one look made of one process. */
export interface ProcessStep {
  look: ProcessLook;
  /** Null: all its samples are stale, its counts wait. */
  verdict: Verdict | null;
  histograms: HistogramPart[];
}

/** Gives every series its increment, and moves the cursor of its process on. */
export function advance(
  look: ProcessLook,
  before: ProcessCursor | undefined,
  verdict: Verdict,
  context: AdvanceContext,
): Advance {
  const { plan } = context;
  const step = new Step(look, before, verdict, context);
  const series = step.series();
  const histograms: ProcessCursor['histograms'] = {};
  const parts = plan.histograms.map((_, i) => step.histogram(i, histograms));
  const cursor: ProcessCursor = {
    target: look.target,
    seen: look.time,
    rate: step.rate(),
    former: formerStarts(look, before),
    series,
    histograms,
  };
  const flight = plan.subtracts ? inFlight(look, before, verdict) : null;
  if (flight?.now !== undefined) cursor.inflight = flight.now;
  // Within one look of Prometheus there are steps that are shorter.
  if (before !== undefined) cursor.every = Math.max(elapsedSince(before, look.time), (before.every ?? 0) / 2);
  const startedAt = look.startedAt ?? before?.startedAt;
  if (startedAt !== undefined) cursor.startedAt = startedAt;
  const created = { ...(verdict.kind === 'count' ? before?.created : {}), ...Object.fromEntries(look.created) };
  if (look.created.size > 0) cursor.created = created;
  const away = hiddenAt(look, cursor, plan);
  if (away.length > 0) cursor.away = away;
  if (verdict.other !== undefined) cursor.other = verdict.other;
  if (verdict.turn !== undefined) cursor.turn = verdict.turn;
  return { cursor, histograms: parts, tooLarge: step.tooLarge, flight };
}

const MOST_FORMER = 4;

function formerStarts(look: ProcessLook, before: ProcessCursor | undefined): number[] {
  if (before === undefined) return [];
  const { former } = before;
  const [startedAt, last] = [startOf(look), startBefore(before)];
  if (startedAt === undefined || last === undefined || Math.abs(startedAt - last) <= 1000) return former;
  return [last, ...former.filter((start) => start !== last)].slice(0, MOST_FORMER);
}

class Step {
  tooLarge: { name: string; value: number } | null = null;
  /** Where earlier values count on: those of series that this look does not show stay. */
  private readonly counts: boolean;
  private readonly fromZero: boolean;
  /** What becomes of increments that are in no signal: a rise, or all that there is. */
  private readonly leaves: 'rise' | 'all' | null;
  private rise = 0;

  constructor(
    private readonly look: ProcessLook,
    private readonly before: ProcessCursor | undefined,
    private readonly verdict: Verdict,
    private readonly context: AdvanceContext,
  ) {
    this.counts = verdict.kind === 'count';
    this.fromZero = verdict.kind === 'zero' || verdict.kind === 'confirm';
    this.leaves = leavesOf(verdict, context.isYoung);
    if (this.counts) this.findTooLarge();
  }

  series(): ProcessCursor['series'] {
    const { before } = this;
    const values: ProcessCursor['series'] = this.kept(before?.series ?? {});
    for (const [key, entry] of this.look.series) {
      const { sample, good } = entry;
      if (!good) {
        if (!(this.counts && typeof values[key] === 'number')) values[key] = null;
        continue;
      }
      entry.delta = this.delta(key, sample.value, sample.t);
      if (this.leaves === 'all') entry.left = sample.value;
      if (this.leaves === 'rise') entry.left = Math.max(0, sample.value - (before?.series[key] ?? sample.value));
      if (entry.delta !== null && entry.delta > this.rise) this.rise = entry.delta;
      const stale = before?.series[key] === undefined && sample.t !== undefined && sample.t < this.context.staleBefore;
      values[key] = stale ? null : sample.value;
    }
    return values;
  }

  private delta(key: string, value: number, t: number | undefined): number | null {
    const { before, verdict } = this;
    const last = before?.series[key];
    const base = this.countedOn(key) ? (before?.other?.series[key] ?? 0) : 0;
    if (this.fromZero) return value - Math.min(base, value);
    if (verdict.kind === 'again') return last == null ? 0 : last - Math.min(base, last);
    if (!this.counts || last === null) return null;
    if (last === undefined)
      return t !== undefined && t < this.context.staleBefore ? null : this.isNew(key) ? value : null;
    if (this.isAnew(key, last, value)) return this.createdWithin(key) ? value : null;
    return isNoise(last, value) ? 0 : value - last;
  }

  histogram(index: number, into: ProcessCursor['histograms']): HistogramPart {
    const { signal } = this.context.plan.histograms[index]!;
    const found = this.look.histograms[index]!;
    const before = this.before?.histograms[signal];
    const part: HistogramPart = { parts: [], started: 0, torn: false, left: [] };
    if (!(found instanceof Map) || this.context.blocked.has(index)) {
      if (this.counts && before !== undefined) into[signal] = before;
      else into[signal] = this.fromZero ? {} : null;
      return part;
    }
    const totals: Record<string, HistogramTotals> = this.counts ? { ...before } : {};
    into[signal] = totals;
    for (const [key, now] of found) {
      totals[key] = now;
      const last = before?.[key];
      const left =
        this.leaves === 'all' ? risen(now) : this.leaves === 'rise' && last !== undefined ? risen(now, last) : null;
      if (left !== null) part.left.push(left);
      const increments = this.increments(index, now, before, key);
      if (increments === undefined) part.started += 1;
      else if (increments === null) part.torn = true;
      else {
        part.parts.push(increments);
        this.rise = Math.max(this.rise, sum(increments));
      }
    }
    return part;
  }

  /** @returns undefined for a starting point, null where buckets contradict each other */
  private increments(
    index: number,
    now: HistogramTotals,
    before: Record<string, HistogramTotals> | null | undefined,
    key: string,
  ): Increments | null | undefined {
    const last = before?.[key];
    const { signal } = this.context.plan.histograms[index]!;
    const created = histogramKey(signal, key);
    const base = this.countedOn(created) ? this.before?.other?.histograms[signal]?.[key] : undefined;
    if (this.fromZero) return risen(now, base);
    if (this.verdict.kind === 'again') return last === undefined ? undefined : risen(last, base);
    if (!this.counts || before === null) return undefined;
    if (last === undefined) return this.isNew(created) ? risen(now) : undefined;
    if (this.isAnew(created, last.totals.at(-1)!, now.totals.at(-1)!))
      return this.createdWithin(created) ? risen(now) : undefined;
    return risen(now, last);
  }

  /** Whether a series has been counted up to the fall of others, which had begun anew before it. */
  private countedOn(key: string): boolean {
    return (
      this.verdict.kind !== 'zero' &&
      this.before?.other?.held === true &&
      (this.before.other.on?.includes(key) ?? false)
    );
  }

  /** Of the fastest series, per millisecond. It fades, so that a burst is not the measure for ever. */
  rate(): number | null {
    const { before, verdict } = this;
    // Of two that answer in turn, the step from one to the other was no measure.
    const rose = verdict.turn === 0 ? before?.other?.rose : undefined;
    const last = rose !== undefined ? rose.calm : (before?.rate ?? null);
    if (!this.counts && !this.fromZero) return last;
    const now = this.rise / Math.max(100, this.span());
    return last === null ? now : Math.max(now, last * RATE_DECAY);
  }

  /** In which it counted what it counted, milliseconds. */
  private span(): number {
    const { before, look, verdict } = this;
    if (verdict.kind === 'zero') return look.time - (look.startedAt ?? look.time);
    if (verdict.kind === 'confirm') return look.time - (before?.other?.seen ?? look.time);
    return before === undefined ? 0 : elapsedSince(before, look.time);
  }

  private isNew(key: string): boolean {
    const created = this.look.created.get(key);
    if (created === undefined) return this.tooLarge === null;
    return created > (this.before?.seen ?? 0) - CREATED_SKEW_MS;
  }

  /** What stands above where it stood and too high for its age has counted on, whatever it says of its creation. */
  private isAnew(key: string, last: number, value: number): boolean {
    const countsOn = value >= last && value > this.context.most;
    return !countsOn && createdAnew(this.before?.created, this.look, key);
  }

  private createdWithin(key: string): boolean {
    return this.look.created.get(key)! > this.context.begin;
  }

  /** New series that all came with one that cannot be new are those of a process that was not seen before. */
  private findTooLarge(): void {
    const { before, look, context } = this;
    const one = (name: string, value: number): void => {
      if (value > context.most && value > (this.tooLarge?.value ?? 0)) this.tooLarge = { name, value };
    };
    for (const [key, { sample, good }] of look.series)
      if (good && sample.created === undefined && before?.series[key] === undefined) one(key, sample.value);
    context.plan.histograms.forEach(({ signal, source }, i) => {
      const found = look.histograms[i]!;
      const known = before?.histograms[signal];
      if (!(found instanceof Map) || known === null) return;
      for (const [key, { totals }] of found)
        if (known?.[key] === undefined && !look.created.has(histogramKey(signal, key)))
          one(`${source.name}${key}`, totals.at(-1)!);
    });
    // In a burst as many may have failed as there were requests.
    if (this.tooLarge === null || before === undefined) return;
    if (this.tooLarge.value <= compare(before, look, context.plan).rise) this.tooLarge = null;
  }

  /** Values of series that may return; after anything but counting on, they are not known any more. */
  private kept(series: ProcessCursor['series']): ProcessCursor['series'] {
    if (this.counts) return this.followsFall() ? this.withoutUnknown(series) : { ...series };
    if (this.fromZero) return {};
    return Object.fromEntries(Object.keys(series).map((key) => [key, null]));
  }

  /** Whether it counts on from where the counters fell to at the last look, though nothing says that this was a restart. */
  private followsFall(): boolean {
    const { other } = this.before ?? {};
    return other?.held === true && !other.risen && this.verdict.since === undefined;
  }

  /** What went with the fall and is still away is new when it comes, like the first failure after a restart. */
  private withoutUnknown(series: ProcessCursor['series']): ProcessCursor['series'] {
    return Object.fromEntries(
      Object.entries(series).filter(([key, value]) => value !== null || this.look.series.has(key)),
    );
  }
}

function leavesOf({ kind, missing, other }: Verdict, isYoung: boolean): 'rise' | 'all' | null {
  if (missing?.state === 'implausible') return 'rise';
  if (kind === 'held') return other?.risen ? 'rise' : 'all';
  return kind === 'again' || (kind === 'start' && isYoung) ? 'all' : null;
}

/** @returns null where the buckets contradict each other */
function risen(now: HistogramTotals, before?: HistogramTotals): Increments | null {
  return differenceHistogram(now, before)?.increments ?? null;
}

function sum({ counts }: Increments): number {
  return counts.reduce((all, count) => all + count, 0);
}

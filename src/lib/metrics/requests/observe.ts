import type { Readable } from 'node:stream';
import { LukhasError } from '../../errors.js';
import type { Observation } from '../../judge/index.js';
import { type Column, type Columns, columnsOf, type LatencyUnit, requestOf } from './columns.js';
import { type Row, readRows } from './rows.js';
import { type Arm, Ticks } from './ticks.js';

export interface ObserveOptions {
  /** Path, or `stdin`, in messages. */
  name: string;
  everyMs: number;
  /** How much later than others a request may stand in the file, ms. */
  latenessMs: number;
  /** Names of columns; those left out are looked for. */
  columns: Readonly<Partial<Record<Column, string>>>;
  latencyUnit: LatencyUnit | null;
  /** Versions of the two arms. Without a canary all requests are the canary's. */
  canary: string | null;
  baseline: string | null;
  /** Bounds of the latency's buckets, ms, rising. */
  buckets: readonly number[];
  /** Bounds of the scores' buckets, rising; null: twenty equal ones from 0 to 1. */
  scoreBuckets: readonly number[] | null;
  /** Leaves out rows that cannot be counted, and counts them, instead of ending. */
  skipBad: boolean;
}

/** What was counted, complete once all observations were taken. */
export interface ObserveSummary {
  observations: number;
  requests: { canary: number; baseline: number };
  failed: { canary: number; baseline: number };
  /** Rows of other versions. */
  others: number;
  /** Rows that could not be counted, and the first of them. */
  skipped: number;
  firstSkipped: string | null;
  /** Milliseconds since the epoch; null: nothing was counted. */
  from: number | null;
  to: number | null;
  /** What the reader should check, in words. */
  doubts: string[];
}

const TWENTIETHS: readonly number[] = Array.from({ length: 19 }, (_, i) => (i + 1) / 20);
/** 2000-01-01: what is older was not measured then. */
const EARLIEST = 946_684_800_000;
/** Versions that are listed where none was chosen. */
const MOST_VERSIONS = 20;

/**
 * Past requests, one a row, as observations of `everyMs`: what is counted in is counted out, once. Reads and gives out as it
 * goes; memory is bounded by `latenessMs`.
 * @returns a generator of observations, and what it has counted so far
 * @throws LukhasError USAGE from the generator, with the line, for what cannot be counted
 */
export function observeRequests(
  input: Readable,
  options: ObserveOptions,
): { observations: AsyncGenerator<Observation, void>; summary: ObserveSummary } {
  const summary: ObserveSummary = {
    observations: 0,
    requests: { canary: 0, baseline: 0 },
    failed: { canary: 0, baseline: 0 },
    others: 0,
    skipped: 0,
    firstSkipped: null,
    from: null,
    to: null,
    doubts: [],
  };
  return { observations: observe(readRows(input, options.name), options, summary), summary };
}

async function* observe(
  rows: AsyncGenerator<Row, void>,
  options: ObserveOptions,
  summary: ObserveSummary,
): AsyncGenerator<Observation, void> {
  let counter: Counter | null = null;
  for await (const row of rows) {
    if (counter === null && row.cells !== null) counter = new Counter(row, options, summary);
    const problem = row.cells === null ? row.problem! : counter!.add(row.cells);
    if (problem !== null) refuse(`${options.name}:${row.line}: ${problem}`, options, summary);
    else if (counter!.ticks.ready) yield* counted(counter!.ticks.take(), summary);
  }
  if (counter === null) throw new LukhasError('USAGE', `${options.name}: no requests found`);
  yield* counted(counter.ticks.take(true), summary);
  counter.refuseNothing();
  summary.doubts = counter.doubts();
}

function* counted(observations: Iterable<Observation>, summary: ObserveSummary): Generator<Observation> {
  for (const observation of observations) {
    summary.observations += 1;
    summary.from ??= observation.from;
    summary.to = observation.t;
    yield observation;
  }
}

function refuse(problem: string, { skipBad }: ObserveOptions, summary: ObserveSummary): void {
  summary.skipped += 1;
  summary.firstSkipped ??= problem;
  if (skipBad) return;
  throw new LukhasError('USAGE', problem, { suggestions: ['Leave such rows out with --skip-bad, which counts them.'] });
}

/** Counts rows, once the first of them has shown which columns there are. */
class Counter {
  readonly ticks: Ticks;
  private readonly columns: Columns;
  private readonly versions = new Set<string>();

  /** The slowest request, ms. */
  private slowest = 0;

  constructor(
    { cells, decimalComma }: Row,
    private readonly options: ObserveOptions,
    private readonly summary: ObserveSummary,
  ) {
    const { name, everyMs, latenessMs, canary, baseline } = options;
    const names = Object.keys(cells ?? {});
    this.columns = columnsOf(names, options.columns, options.latencyUnit, { file: name, decimalComma });
    const { version, latency, ok, score } = this.columns;
    if (version === null && (canary !== null || baseline !== null))
      throw new LukhasError('USAGE', `${name}: no column of versions found (${names.slice(0, 20).join(', ')})`, {
        suggestions: [
          'Name it: --version-column NAME. If all requests are of one version, leave out --canary and --baseline.',
        ],
      });
    this.ticks = new Ticks({
      everyMs,
      // One more, as a tick in which both stand begins before either.
      lateTicks: Math.ceil(latenessMs / everyMs) + 1,
      latency: latency === null ? null : options.buckets,
      score: score === null ? null : (options.scoreBuckets ?? TWENTIETHS),
      errors: ok !== null,
      baseline: baseline !== null,
    });
  }

  /** @returns in words why the row cannot be counted; null: it was, or is of another version */
  add(cells: Readonly<Record<string, string>>): string | null {
    const { canary, scoreBuckets } = this.options;
    const request = requestOf(cells, this.columns);
    if (typeof request === 'string') return request;
    if (this.columns.version !== null && this.versions.size < MOST_VERSIONS) this.versions.add(request.version);
    const arm = canary === null ? this.only() : this.armOf(request.version);
    if (arm === null) {
      this.summary.others += 1;
      return null;
    }
    const { score } = request;
    if (score !== undefined && scoreBuckets === null && (score < 0 || score > 1))
      return `${this.columns.score}: ${score} is not between 0 and 1: give bounds with --score-buckets`;
    const late = this.ticks.add(arm, request);
    if (late !== null) return `${this.columns.time}: ${late}; allow more with --lateness, or sort the file`;
    this.summary.requests[arm] += 1;
    if (/\d$/.test(cells[this.columns.latency ?? ''] ?? ''))
      this.slowest = Math.max(this.slowest, request.latency ?? 0);
    if (request.ok === false) this.summary.failed[arm] += 1;
    return null;
  }

  /** What was read as well as it could be, and may be wrong. */
  doubts(): string[] {
    const { latency, latencyUnit, unitAssumed } = this.columns;
    const { from } = this.summary;
    const doubts: string[] = [];
    if (unitAssumed && this.slowest > 0)
      doubts.push(
        `${latency}: read as ${latencyUnit}, the slowest request took ${Number(this.slowest.toPrecision(3))} ms; if that is wrong, pass --latency-unit`,
      );
    if (from !== null && from < EARLIEST)
      doubts.push(
        `${this.columns.time}: the first request is of ${new Date(from).toISOString().slice(0, 10)}; Excel's numbers of days are not read as times`,
      );
    return doubts;
  }

  /** @throws LukhasError USAGE where no row was of the versions that were asked for */
  refuseNothing(): void {
    const { name, canary } = this.options;
    if (canary === null || this.summary.requests.canary > 0) return;
    throw new LukhasError('USAGE', `${name}: no request of version ${canary}`, {
      suggestions: [`Versions seen: ${[...this.versions].join(', ')}.`],
    });
  }

  private armOf(version: string): Arm | null {
    if (version === this.options.canary) return 'canary';
    return version === this.options.baseline ? 'baseline' : null;
  }

  /** Without a chosen version there may be one only: two together would be judged as one. */
  private only(): Arm {
    if (this.versions.size < 2) return 'canary';
    throw new LukhasError('USAGE', `${this.options.name}: several versions: ${[...this.versions].join(', ')}`, {
      suggestions: ['Choose: --canary VERSION --baseline VERSION.'],
    });
  }
}

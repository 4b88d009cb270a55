import { z } from 'zod';
import type { ArmReading, Missing, Observation } from '../../judge/index.js';
import { armCursorSchema, type StoredCounters, storedCounters } from '../counting/index.js';
import { armReadingSchema } from '../observation-schema.js';
import type { Placeholders } from '../promql/index.js';
import type { Signals } from '../signals/index.js';
import type { PrometheusConfig, Reading, ReadRequest } from '../source.js';
import { explainAbsent } from './absent.js';
import type { PrometheusAnswers } from './answers.js';
import { armsIn, newestRead } from './arm-series.js';
import { identitySchema, NO_IDENTITY, readIdentity } from './identity.js';
import { type ArmLook, lookAtArm } from './look.js';
import { areDisjoint, overlapping } from './overlap.js';
import type { ApiAnswer } from './parse.js';
import { newestOf } from './places.js';
import { type ArmPlan, type CounterPlan, fillPlan, planCounters } from './plan.js';
import { planQueries, type QueryPlan, wantedSeries } from './queries.js';
import { readScalars } from './scalars.js';
import { aheadBy, clockNote } from './server-clock.js';

const seenArmSchema = z
  .object({
    counters: armCursorSchema,
    seen: z.record(z.string(), z.number()),
    oldest: z.number().nullable(),
    scraped: z.number().nullable().default(null),
    held: armReadingSchema.nullable().default(null),
  })
  .nullable();
const cursorSchema = z.object({
  /** The last look whose counters were read, milliseconds since the epoch. */
  at: z.number(),
  canary: seenArmSchema,
  baseline: seenArmSchema,
  identity: identitySchema.default(NO_IDENTITY),
  /** By how much the clock of Prometheus was ahead, ms. */
  ahead: z.number().default(0),
});
type Cursor = z.infer<typeof cursorSchema> | null;

/** Ranges are rounded up to this, so that canaries of one gate and model share their queries. */
const RANGE_STEP_MS = 30_000;
const MIN_RANGE_MS = 60_000;
const MAX_RANGE_MS = 300_000;
/** Plans kept with their placeholders filled in; matching is prepared once for each. */
const KEPT_PLANS = 2000;

interface FilledPlan {
  arms: ArmPlan[];
  queries: QueryPlan;
  /** No series can be in both arms. */
  disjoint: boolean;
  /** Something is selected by `job` or `instance`. */
  whole: boolean;
}

/** Takes looks: the same rules, whether what answers it is the present or the past. */
export class PrometheusReader {
  private readonly plan: CounterPlan;
  private readonly filled = new Map<string, FilledPlan>();
  /** Cursors made here: what comes back unchanged need not be checked again. */
  private readonly own = new WeakSet<object>();

  /** @throws LukhasError PROMQL for signals or arms that cannot be read */
  constructor(
    private readonly config: PrometheusConfig,
    private readonly api: PrometheusAnswers,
    private readonly now: () => number,
  ) {
    this.plan = planCounters(config);
  }

  async read(request: ReadRequest): Promise<Reading> {
    const { cursor: previous, lost } = this.previous(request.cursor);
    const t = this.now();
    const values = placeholders(request, request.canaryGate);
    const [counters, scalars] = await Promise.all([
      this.counters(request, previous, t),
      readScalars(this.config.queries, this.plan, this.api, request, values),
    ]);
    const { canary, baseline, warnings } = counters;
    const observation: Omit<Observation, 'tick'> = { v: 1, t, from: previous?.at ?? t, canary: canary.reading };
    if (baseline) observation.baseline = baseline.reading;
    if (Object.keys(scalars.signals).length > 0) observation.scalars = scalars.signals;
    const notes = [
      ...(lost === null ? [] : [lost]),
      ...(counters.notes ?? []),
      ...canary.notes.map((note) => `canary: ${note}`),
      ...(baseline?.notes ?? []).map((note) => `baseline: ${note}`),
      ...new Set([...warnings, ...scalars.warnings].map((text) => `Prometheus warns: ${text}`)),
    ];
    if (notes.length > 0) observation.notes = notes;
    if (counters.cursor) this.own.add(counters.cursor);
    return { observation, cursor: counters.cursor };
  }

  private previous(cursor: unknown): StoredCounters<NonNullable<Cursor>> {
    const mine = typeof cursor === 'object' && cursor !== null && this.own.has(cursor);
    return mine ? { cursor: cursor as Cursor, lost: null } : storedCounters(cursorSchema, cursor);
  }

  private async counters(request: ReadRequest, previous: Cursor, t: number): Promise<Counters> {
    const { plan } = this;
    if (!plan.counts)
      return withoutCounters({}, request, {
        at: t,
        canary: null,
        baseline: null,
        identity: previous?.identity ?? NO_IDENTITY,
        ahead: previous?.ahead ?? 0,
      });
    const { arms, queries, disjoint, whole } = this.planFor(request);
    const reach = this.range(previous, t + (previous?.ahead ?? 0));
    const before = arms.map((_, arm) => (arm === 0 ? previous?.canary : previous?.baseline) ?? null);
    const since = newestRead(before);
    const [answers, known] = await Promise.all([
      Promise.all(queries.queries.map((query) => this.api.samples(query, reach, request.signal, since))),
      readIdentity(this.api, previous?.identity ?? NO_IDENTITY, { at: t, reach, signal: request.signal }),
    ]);
    const ahead = aheadBy(answers, t, Math.max(t, this.now()));
    const missing = answers.map(whyNoRange).find((why) => why !== null);
    if (missing) return withoutCounters(missingSignals(plan.canary, missing), request, null);
    const warnings = answers.flatMap((answer) => (answer.ok ? answer.warnings : []));
    const { series, places } = armsIn(answers, queries, before, whole);
    const identity = await known.complete(places);
    const newest = newestOf(places.flatMap((own) => [...own.values()]));
    const { staleSeconds } = this.config;
    const there = t + ahead;
    const staleMs = staleSeconds * 1000;
    const look = { at: t, there, staleBefore: there - staleMs, newest, reach, staleMs };
    const looks = await Promise.all(
      arms.map(async ({ signals }, arm): Promise<ArmLook> => {
        const taken = lookAtArm(places[arm]!, signals, before[arm]!, look);
        return { ...taken, reading: await explainAbsent(taken.reading, signals, series[arm]!, this.api.labelsSeen) };
      }),
    );
    const [canary, baseline = null] = looks;
    const shared = disjoint ? null : overlapping([arms[0]!, arms[1]!], [series[0]!, series[1]!]);
    if (baseline && shared !== null) baseline.reading = missingSignals(plan.baseline, shared);
    const cursor = {
      at: t,
      canary: canary!.cursor,
      baseline: baseline?.cursor ?? previous?.baseline ?? null,
      identity,
      ahead,
    };
    return { canary: canary!, baseline, warnings, notes: clockNote(ahead), cursor };
  }

  private planFor(request: ReadRequest): FilledPlan {
    const gates = [request.canaryGate, ...(request.withBaseline ? [request.baselineGate] : [])];
    const key = JSON.stringify([...gates, request.modelId, request.windowSeconds]);
    const known = this.filled.get(key);
    if (known) return known;
    const arms = gates.map((gate, arm) =>
      fillPlan(arm === 0 ? this.plan.canary : this.plan.baseline, placeholders(request, gate)),
    );
    const disjoint = arms[1] === undefined || areDisjoint(arms[0]!, arms[1]);
    const made = { arms, queries: planQueries(arms), disjoint, whole: arms.some(({ signals }) => usesPlace(signals)) };
    if (this.filled.size >= KEPT_PLANS) this.filled.clear();
    this.filled.set(key, made);
    return made;
  }

  /** Milliseconds back to ask for: to the newest sample known, so that a reset since then is seen. */
  private range(previous: Cursor, t: number): number {
    const known = [previous?.canary?.oldest, previous?.baseline?.oldest].filter((time) => typeof time === 'number');
    const wanted = known.length === 0 ? 2000 * this.config.staleSeconds : t - Math.min(...known) + RANGE_STEP_MS;
    const bounded = Math.min(Math.max(wanted, MIN_RANGE_MS), longestReach(this.config));
    return wholeSteps(bounded);
  }
}

function usesPlace(signals: Signals): boolean {
  const isOfPlace = (label: string): boolean => label === 'job' || label === 'instance';
  if (signals.drift?.kind === 'categories' && isOfPlace(signals.drift.by)) return true;
  return wantedSeries(signals).some(({ matchers }) => matchers.some(({ label }) => isOfPlace(label)));
}

/** The furthest back that any look reads, milliseconds. */
export function longestReach({ staleSeconds }: PrometheusConfig): number {
  return wholeSteps(Math.max(MAX_RANGE_MS, 4000 * staleSeconds));
}

function wholeSteps(ms: number): number {
  return Math.ceil(ms / RANGE_STEP_MS) * RANGE_STEP_MS;
}

interface Counters {
  canary: Pick<ArmLook, 'reading' | 'notes'>;
  baseline: Pick<ArmLook, 'reading' | 'notes'> | null;
  warnings: string[];
  /** Of both arms. */
  notes?: string[];
  /** Null keeps the previous one. */
  cursor: Cursor;
}

function whyNoRange(answer: ApiAnswer): Missing | null {
  if (!answer.ok) return answer.missing;
  if (answer.type === 'matrix') return null;
  return { state: 'invalid', detail: `asked for a range, Prometheus answered a ${answer.type}` };
}

function withoutCounters(reading: ArmReading, { withBaseline }: ReadRequest, cursor: Cursor): Counters {
  const arm = { reading, notes: [] };
  return { canary: arm, baseline: withBaseline && Object.keys(reading).length > 0 ? arm : null, warnings: [], cursor };
}

/** Every signal that is counted, with the same reason why there is no number. */
function missingSignals({ signals }: ArmPlan, missing: Missing): ArmReading {
  const { latency, ...others } = signals.histograms;
  const reading: ArmReading = {};
  if (signals.errors !== null) reading.errors = missing;
  if (latency !== undefined) reading.latency = missing;
  const names = Object.keys(others);
  if (names.length > 0) reading.histograms = Object.fromEntries(names.map((name) => [name, missing]));
  if (signals.drift?.kind === 'histogram') reading.score = missing;
  if (signals.drift?.kind === 'categories') reading.categories = missing;
  return reading;
}

function placeholders({ modelId, windowSeconds }: ReadRequest, gate: string): Placeholders {
  return { gate, model: modelId, window: windowSeconds };
}

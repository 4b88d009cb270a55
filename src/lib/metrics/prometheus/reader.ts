import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { LukhasError } from '../../errors.js';
import type { ArmReading, Missing, Observation, ScalarSignal } from '../../judge/index.js';
import { armCursorSchema } from '../counters.js';
import { type Placeholders, showSelector, substitute } from '../promql/index.js';
import type { PrometheusConfig, Reading, ReadRequest } from '../source.js';
import type { ApiAnswer } from './api.js';
import { queryPlace } from './config.js';
import { type ArmLook, countArm, newestTimes, numberOf } from './counters.js';
import { type ArmSeries, type CounterPlan, planCounters, planQueries } from './plan.js';

/** Who answers a reader: a Prometheus as it is now, or what it holds of a time that has passed. */
export interface PrometheusAnswers {
  /** Raw samples of the last `reachMs` of all series that a selector names. */
  samples(selector: string, reachMs: number, signal?: AbortSignal): Promise<ApiAnswer>;
  /** What an expression gives. */
  value(expr: string, signal?: AbortSignal): Promise<ApiAnswer>;
}

const cursorSchema = z
  .object({
    /** The last look whose counters were read, milliseconds since the epoch. */
    at: z.number(),
    canary: armCursorSchema.nullable(),
    baseline: armCursorSchema.nullable(),
  })
  .nullable();
type Cursor = z.infer<typeof cursorSchema>;

/** Ranges are rounded up to this, so that canaries of one gate and model share their queries. */
const RANGE_STEP_MS = 30_000;
const MIN_RANGE_MS = 60_000;
const MAX_RANGE_MS = 300_000;
/** Always read when configured; others when the policy asks for them. */
const STANDARD_QUERIES = ['latency_p95_ms', 'error_rate', 'drift'];

/** Takes looks: the same rules, whether what answers it is the present or the past. */
export class PrometheusReader {
  private readonly plan: CounterPlan;
  /** Cursors made here: what comes back unchanged need not be checked again. */
  private readonly own = new WeakSet<object>();

  constructor(
    private readonly config: PrometheusConfig,
    private readonly api: PrometheusAnswers,
    private readonly now: () => number,
  ) {
    this.plan = planCounters(config);
  }

  async read(request: ReadRequest): Promise<Reading> {
    const previous = this.previous(request.cursor);
    const t = this.now();
    const [counters, scalars] = await Promise.all([this.counters(request, previous, t), this.scalars(request)]);
    const { canary, baseline, warnings } = counters;
    const observation: Omit<Observation, 'tick'> = { v: 1, t, from: previous?.at ?? t, canary: canary.reading };
    if (baseline) observation.baseline = baseline.reading;
    if (Object.keys(scalars.signals).length > 0) observation.scalars = scalars.signals;
    const notes = [
      ...canary.notes.map((note) => `canary: ${note}`),
      ...(baseline?.notes ?? []).map((note) => `baseline: ${note}`),
      ...new Set([...warnings, ...scalars.warnings].map((text) => `Prometheus warns: ${text}`)),
    ];
    if (notes.length > 0) observation.notes = notes;
    if (counters.cursor) this.own.add(counters.cursor);
    return { observation, cursor: counters.cursor };
  }

  private previous(cursor: unknown): Cursor {
    const mine = typeof cursor === 'object' && cursor !== null && this.own.has(cursor);
    return mine ? (cursor as Cursor) : readCursor(cursor);
  }

  private async counters(request: ReadRequest, previous: Cursor, t: number): Promise<Counters> {
    const { plan } = this;
    if (plan.signals.size === 0) return withoutCounters({}, request, { at: t, canary: null, baseline: null });
    const gates = [request.canaryGate, ...(request.withBaseline ? [request.baselineGate] : [])];
    const { queries, arms } = planQueries(
      plan,
      gates.map((gate) => placeholders(request, gate)),
    );
    const reach = this.range(previous, t);
    const answers = await Promise.all(queries.map((query) => this.api.samples(query, reach, request.signal)));
    const matrices: ArmAnswers = { series: [], warnings: [] };
    for (const answer of answers) {
      if (!answer.ok) return withoutCounters(missingSignals(plan, answer.missing), request, null);
      if (answer.type !== 'matrix') {
        const detail = `asked for a range, Prometheus answered a ${answer.type}`;
        return withoutCounters(missingSignals(plan, { state: 'invalid', detail }), request, null);
      }
      matrices.series.push(answer.series);
      matrices.warnings.push(...answer.warnings);
    }
    const same = arms[0]!.find(({ selector }, i) => isDeepStrictEqual(selector, arms[1]?.[i]?.selector));
    const look = { at: t, staleBefore: t - this.config.staleSeconds * 1000, reach };
    const [canary, baseline] = arms.map((parts, arm) =>
      countArm(parts, matrices.series, plan, (arm === 0 ? previous?.canary : previous?.baseline) ?? null, look),
    );
    if (baseline && same) baseline.reading = missingSignals(plan, sameSeries(same));
    const cursor = { at: t, canary: canary!.cursor, baseline: baseline?.cursor ?? previous?.baseline ?? null };
    return { canary: canary!, baseline: baseline ?? null, warnings: matrices.warnings, cursor };
  }

  /** Milliseconds back to ask for: to the newest sample known, so that a reset since then is seen. */
  private range(previous: Cursor, t: number): number {
    const staleMs = this.config.staleSeconds * 1000;
    const known = [previous?.canary, previous?.baseline].flatMap((arm) => (arm ? newestTimes(arm) : []));
    const wanted = known.length === 0 ? 2 * staleMs : t - Math.min(...known) + RANGE_STEP_MS;
    const bounded = Math.min(Math.max(wanted, MIN_RANGE_MS), longestReach(this.config));
    return wholeSteps(bounded);
  }

  private async scalars(request: ReadRequest): Promise<{ signals: Record<string, ScalarSignal>; warnings: string[] }> {
    const { queries } = this.config;
    const names = new Set([...STANDARD_QUERIES.filter((name) => name in queries), ...request.scalars]);
    const warnings: string[] = [];
    const signals = [...names].map(async (name): Promise<[string, ScalarSignal]> => {
      const expr = Object.hasOwn(queries, name) ? queries[name] : undefined;
      if (expr === undefined) return [name, { state: 'no_source', detail: `no query is configured for ${name}` }];
      const filled = substitute(expr, placeholders(request, request.canaryGate), queryPlace(name));
      const answer = await this.api.value(filled, request.signal);
      if (answer.ok) warnings.push(...answer.warnings);
      return [name, scalarOf(answer)];
    });
    return { signals: Object.fromEntries(await Promise.all(signals)), warnings };
  }
}

/** The furthest back that any look reads, milliseconds. */
export function longestReach({ staleSeconds }: PrometheusConfig): number {
  return wholeSteps(Math.max(MAX_RANGE_MS, 4000 * staleSeconds));
}

function wholeSteps(ms: number): number {
  return Math.ceil(ms / RANGE_STEP_MS) * RANGE_STEP_MS;
}

interface ArmAnswers {
  series: Extract<ApiAnswer, { type: 'matrix' | 'vector' }>['series'][];
  warnings: string[];
}

interface Counters {
  canary: Pick<ArmLook, 'reading' | 'notes'>;
  baseline: Pick<ArmLook, 'reading' | 'notes'> | null;
  warnings: string[];
  /** Null keeps the previous one. */
  cursor: Cursor;
}

function withoutCounters(reading: ArmReading, { withBaseline }: ReadRequest, cursor: Cursor): Counters {
  const arm = { reading, notes: [] };
  return { canary: arm, baseline: withBaseline && Object.keys(reading).length > 0 ? arm : null, warnings: [], cursor };
}

function missingSignals({ signals }: CounterPlan, missing: Missing): ArmReading {
  return Object.fromEntries([...signals].map((signal) => [signal, missing]));
}

/** A baseline that is the canary itself would agree with it always. */
function sameSeries({ selector }: ArmSeries): Missing {
  const detail = `${showSelector(selector)} is the canary and the baseline: tell them apart with labels (arms), or with $__gate`;
  return { state: 'invalid', detail };
}

function placeholders({ modelId, windowSeconds }: ReadRequest, gate: string): Placeholders {
  return { gate, model: modelId, window: windowSeconds };
}

function scalarOf(answer: ApiAnswer): ScalarSignal {
  if (!answer.ok) return answer.missing;
  if (answer.type === 'matrix' || answer.type === 'string')
    return { state: 'invalid', detail: `returned a ${answer.type}; write an expression that gives one number` };
  if ('sample' in answer) return numberSignal(answer.sample[1]);
  const [only, ...more] = answer.series;
  if (only === undefined) return { state: 'absent', detail: 'the expression returned no series' };
  if (more.length > 0)
    return { state: 'invalid', detail: `returned ${answer.series.length} series; aggregate it to one` };
  if (only.value === undefined) return { state: 'invalid', detail: 'returned a native histogram, not a number' };
  return numberSignal(only.value[1]);
}

function numberSignal(text: string): ScalarSignal {
  const value = numberOf(text);
  if (Number.isFinite(value)) return { state: 'ok', value };
  return { state: 'invalid', detail: Number.isNaN(value) ? 'NaN (0/0 when there is no traffic)' : text };
}

function readCursor(stored: unknown): Cursor {
  const cursor = cursorSchema.safeParse(stored ?? null);
  if (cursor.success) return cursor.data;
  throw new LukhasError('LEDGER_CORRUPT', 'the stored counters of the last check cannot be read', {
    cause: cursor.error,
  });
}

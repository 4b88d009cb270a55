import fc from 'fast-check';
import {
  type ArmReading,
  type CategorySignal,
  type CountSignal,
  type HistogramSignal,
  MISSING_STATES,
  type Missing,
  type Observation,
  type ScalarSignal,
} from '../../../src/lib/judge/observation.js';
import type { Policy } from '../../../src/lib/judge/policy.js';
import { policy, START } from './looks.js';

const chance = fc.constantFrom(0.001, 0.01, 0.05, 0.3, 0.5);
const rates = fc.constantFrom(0.0001, 0.01, 0.02, 0.3, 0.99);

/** Policies with short windows, so that canaries of a few looks reach every way to end. */
export const policies: fc.Arbitrary<Policy> = fc
  .record({
    looks: fc.integer({ min: 2, max: 12 }),
    intervalSeconds: fc.constantFrom(0.5, 1, 5),
    targets: fc.record(
      {
        max_error_rate: rates,
        latency_p95_ms: fc.constantFrom(50, 100, 150, 1e6),
        latency_p99_ms: fc.constantFrom(100, 200),
        max_drift: fc.constantFrom(0.01, 0.2, 5),
        max_unavailable: fc.constantFrom(0, 0.05, 1),
      },
      { requiredKeys: [] },
    ),
    relative: fc.record({ max_error_ratio: fc.constantFrom(0.5, 1, 2) }, { requiredKeys: [] }),
    objectives: fc.constantFrom<string[]>(
      [],
      ['ttft < 800'],
      ['ttft < 800', 'tokens >= 1'],
      ['ttft_p95_ms < 150'],
      ['tokens_p50 <= 100'],
    ),
    alpha: fc.record({ rollback: chance, promote: chance }),
    promote: fc.constantFrom('end', 'early'),
    onInconclusive: fc.constantFrom('block', 'extend', 'promote'),
    onNoData: fc.constantFrom('block', 'hold', 'rollback'),
    noDataSeconds: fc.constantFrom(1, 5, 90),
    minCoverage: fc.constantFrom(0, 0.5, 0.8, 1),
    baseline: fc.constantFrom('auto', 'required', 'none'),
    designEffect: fc.record({ batchSize: fc.constantFrom(1, 3, 40), estimate: fc.boolean() }),
    maxConsecutiveFailures: fc.integer({ min: 1, max: 3 }),
    warmupSeconds: fc.constantFrom(0, 0, 0, 0.7, 3),
    maxRestarts: fc.constantFrom(0, 2, 50),
    maxFailures: fc.constantFrom(0, 0.1, 1),
    maxMissing: fc.constantFrom(0, 0.1, 1),
  })
  .map(({ looks, objectives, targets, relative, ...rest }) => {
    const { max_unavailable: _, ...limits } = targets;
    const nothing = Object.keys(limits).length + Object.keys(relative).length + objectives.length === 0;
    return policy({
      ...rest,
      windowSeconds: looks * rest.intervalSeconds,
      targets: nothing ? { ...targets, max_error_rate: 0.02 } : targets,
      relative,
      objectives,
    });
  });

const missing: fc.Arbitrary<Missing> = fc.record(
  { state: fc.constantFrom(...MISSING_STATES.filter((state) => state !== 'ended')), detail: fc.constant('m_total') },
  { requiredKeys: ['state'] },
);
const count = fc.oneof(
  fc.integer({ min: 0, max: 5 }),
  fc.integer({ min: 0, max: 5000 }),
  fc.double({ min: 0, max: 1e12, noNaN: true }),
);

const ratio: fc.Arbitrary<CountSignal> = fc
  .tuple(count, fc.oneof(rates, fc.double({ min: 0, max: 1, noNaN: true })))
  .map(([total, share]) => ({ state: 'ok', bad: Math.min(total, Math.floor(total * share)), total }));

const histogram: fc.Arbitrary<HistogramSignal> = fc
  .tuple(
    fc.constantFrom<number[]>([100, 200], [150], [50, 100, 150, 200]),
    fc.array(count, { minLength: 5, maxLength: 5 }),
  )
  .map(([bounds, counts]) => ({ state: 'ok', bounds, counts: counts.slice(0, bounds.length + 1) }));

const categories: fc.Arbitrary<CategorySignal> = fc
  .dictionary(fc.constantFrom('a', 'b', 'c', '__proto__'), count)
  .map((counts) => ({ state: 'ok', counts }));

const arm: fc.Arbitrary<ArmReading> = fc.record(
  {
    errors: fc.oneof({ arbitrary: ratio, weight: 4 }, missing),
    latency: fc.oneof({ arbitrary: histogram, weight: 4 }, missing),
    score: fc.oneof({ arbitrary: histogram, weight: 4 }, missing),
    inflight: fc.nat(100),
    resets: fc.nat(2),
    restarts: fc.nat(2),
    targets: fc.tuple(fc.nat(3), fc.nat(3)).map(([up, down]) => ({ expected: up + down, up })),
    histograms: fc.dictionary(
      fc.constantFrom('ttft', 'tokens'),
      fc.oneof({ arbitrary: histogram, weight: 4 }, missing),
    ),
    categories: fc.oneof({ arbitrary: categories, weight: 4 }, missing),
  },
  { requiredKeys: [] },
);

const value: fc.Arbitrary<ScalarSignal> = fc.oneof(
  {
    arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }).map((v) => ({ state: 'ok' as const, value: v })),
    weight: 4,
  },
  missing,
);
const scalars = fc.dictionary(fc.constantFrom('ttft', 'tokens', 'error_rate', 'latency_p95_ms', 'drift'), value);

/** What one look finds, of any kind: nothing about it has to make sense. */
const anything = fc.record({ canary: arm, baseline: arm, scalars }, { requiredKeys: ['canary'] });

/** Nothing wrong with it: what a canary should look like. */
const healthy = fc.integer({ min: 500, max: 5000 }).map((total) => {
  const score: HistogramSignal = { state: 'ok', bounds: [100, 200], counts: [total, total, total] };
  const latency: HistogramSignal = { state: 'ok', bounds: [50, 100], counts: [total, 0, 0] };
  const good: ArmReading = { errors: { state: 'ok', bad: 0, total }, latency, score };
  const ok = (v: number): ScalarSignal => ({ state: 'ok', value: v });
  return {
    canary: good,
    baseline: { ...good, errors: { state: 'ok', bad: Math.ceil(total / 10), total } as CountSignal },
    scalars: {
      ttft: ok(100),
      ttft_p95_ms: ok(100),
      tokens_p50: ok(5),
      tokens: ok(5),
      error_rate: ok(0),
      latency_p95_ms: ok(10),
      drift: ok(0),
    },
  };
});

const passed = fc.constantFrom(0, 1, 500, 1000, 5000, 20_000);
const back = fc.constantFrom(0, 1, 1, 3);
const steps = fc.oneof(
  fc.array(fc.tuple(anything, passed, back), { maxLength: 30 }),
  passed.chain((every) =>
    fc.array(fc.tuple(fc.oneof({ arbitrary: healthy, weight: 30 }, anything), fc.constant(every), fc.constant(1)), {
      maxLength: 30,
    }),
  ),
);

/** Any sequence of observations that a source may give: times do not run backwards. */
export const observations: fc.Arbitrary<Observation[]> = fc.tuple(steps, fc.boolean()).map(([steps, ends]) => {
  let t = START;
  const all = steps.map(([found, passed, back], tick): Observation => {
    t += passed;
    return { v: 1, tick, t, from: Math.max(START, t - passed * back), ...found };
  });
  const over: ArmReading = { errors: { state: 'ended' }, latency: { state: 'ended' }, score: { state: 'ended' } };
  return ends ? [...all, { v: 1, tick: all.length, t, from: t, canary: over }] : all;
});

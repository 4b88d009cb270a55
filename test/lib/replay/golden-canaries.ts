import { Canaries } from '../../../src/lib/canary/canaries.js';
import { parsePolicy } from '../../../src/lib/judge/policy-schema.js';
import type { Ledger } from '../../../src/lib/ledger/ledger.js';
import type { MetricSource, Reading } from '../../../src/lib/metrics/source.js';
import type { Canary } from '../../../src/lib/readings/canary.js';
import { ACTOR, drive, driver, FakeClock, type Found, START, scripted, start } from '../canary/harness.js';

/** A canary of the golden ledgers: what it finds at look n (from 1) follows from n alone. */
interface Golden {
  model: string;
  policy: Record<string, unknown>;
  found(look: number): Found;
  /** Set: an input of so many looks, which then ends. */
  ends?: number;
  abortAfter?: number;
  override?: boolean;
}

const LATENCY = [50, 100, 250, 500];
const SCORES = [0.25, 0.5, 0.75];

/** Whole numbers that look like traffic and need no random numbers. */
const wave = (look: number, middle: number, swing: number): number =>
  middle + ((look * 7919) % (2 * swing + 1)) - swing;

function arm(look: number, { bad = 2, slow = 8, shift = 0 } = {}): Found['canary'] {
  const total = wave(look, 600, 60);
  return {
    errors: { state: 'ok', bad: Math.max(0, wave(look, bad, Math.min(bad, 2))), total },
    latency: { state: 'ok', bounds: LATENCY, counts: [total - 180 - slow, 120, 60, slow, 0] },
    score: { state: 'ok', bounds: SCORES, counts: [150 - shift, 150, 150, 150 + shift] },
    inflight: look % 4,
  };
}

const TARGETS = { latency_p95_ms: 250, max_error_rate: 0.02, max_drift: 0.15 };
const both = (look: number, canary = {}, baseline = {}): Found => ({
  canary: arm(look, canary),
  baseline: arm(look + 3, baseline),
});

const GOLDEN: readonly Golden[] = [
  { model: 'healthy', policy: { windowSeconds: 120, targets: TARGETS }, found: (n) => both(n) },
  {
    model: 'early',
    policy: { windowSeconds: 600, targets: TARGETS, promote: 'early', designEffect: { estimate: false } },
    found: (n) => both(n, { bad: 3, slow: 12 }),
  },
  { model: 'failing', policy: { windowSeconds: 120, targets: TARGETS }, found: (n) => both(n, { bad: 20 }) },
  {
    model: 'turns-bad',
    policy: { windowSeconds: 120, targets: TARGETS },
    found: (n) => both(n, { bad: n > 12 ? 24 : 2 }),
  },
  { model: 'slow', policy: { windowSeconds: 120, targets: TARGETS }, found: (n) => both(n, { slow: 42 }) },
  {
    model: 'drifting',
    policy: { windowSeconds: 300, targets: TARGETS },
    found: (n) => both(n, { shift: n > 5 ? 120 : 0 }),
  },
  {
    model: 'shared-incident',
    policy: { windowSeconds: 120, targets: { max_error_rate: 0.02 } },
    found: (n) => both(n, { bad: 60 }, { bad: 60 }),
  },
  {
    model: 'ratio',
    policy: { windowSeconds: 300, relative: { max_error_ratio: 2 }, baseline: 'required' },
    found: (n) => both(n, { bad: 24 }, { bad: 4 }),
  },
  {
    model: 'thin',
    policy: { windowSeconds: 60, targets: { max_error_rate: 0.02 }, onInconclusive: 'extend' },
    found: (n) => ({ canary: { errors: { state: 'ok', bad: n % 20 === 0 ? 1 : 0, total: 4 } } }),
  },
  {
    model: 'silent',
    policy: { windowSeconds: 300, targets: TARGETS },
    found: (n) => (n < 8 ? both(n) : { canary: { errors: { state: 'unreachable', detail: 'connection refused' } } }),
  },
  {
    model: 'readings',
    policy: { windowSeconds: 60, objectives: ['ttft_p95_ms < 800'] },
    found: (n) => ({ canary: {}, scalars: { ttft_p95_ms: { state: 'ok', value: n > 7 ? 900.5 : 310.25 } } }),
  },
  {
    model: 'batches',
    policy: { windowSeconds: 120, targets: { max_error_rate: 0.02 }, designEffect: { batchSize: 10 } },
    found: (n) => ({ canary: { errors: { state: 'ok', bad: n % 3 === 0 ? 60 : 0, total: 600 } } }),
  },
  {
    model: 'input-ends',
    policy: { windowSeconds: 120, targets: { max_error_rate: 0.02 } },
    found: () => ({ canary: { errors: { state: 'ok', bad: 1, total: 500.5 } } }),
    ends: 9,
  },
  { model: 'aborted', policy: { windowSeconds: 120, targets: TARGETS }, found: (n) => both(n), abortAfter: 6 },
  {
    model: 'overridden',
    policy: { windowSeconds: 60, targets: { max_error_rate: 0.001 } },
    found: (n) => both(n, { bad: 1 }),
    override: true,
  },
  {
    model: 'never-answers',
    policy: { windowSeconds: 300, targets: TARGETS },
    found: (n) => ({
      canary: { errors: { state: 'unreachable', detail: 'connection refused' } },
      baseline: arm(n),
    }),
  },
];

/** Runs every golden canary with the code that runs real ones; the ids are all that is different each time. */
export async function runGolden(ledger: Ledger): Promise<Canary[]> {
  const ended: Canary[] = [];
  for (const [i, golden] of GOLDEN.entries()) ended.push(await run(ledger, golden, START + i * 3_600_000));
  return ended;
}

async function run(ledger: Ledger, golden: Golden, at: number): Promise<Canary> {
  const clock = new FakeClock(at);
  const canaries = new Canaries(ledger, clock);
  const policy = parsePolicy(golden.policy);
  const { id } = await start(ledger, clock, { policy, modelId: golden.model, dryRun: true });
  const source = golden.ends === undefined ? scripted(clock, golden.found) : input(golden, at, golden.ends);
  const context = { ...driver({ ledger, clock, source, holder: 'golden:0:a' }), clock };
  let looks = 0;
  await drive(context, id, async () => {
    if (++looks === golden.abortAfter) await canaries.abort(id, ACTOR, 'no longer needed');
  });
  if (golden.override) await canaries.override(id, ACTOR, 'the errors are known and harmless');
  return canaries.get(id);
}

function input({ found }: Golden, at: number, ends: number): MetricSource {
  return {
    descriptor: { kind: 'none' },
    pace: 'input',
    check: async () => undefined,
    close: async () => undefined,
    async read({ cursor }): Promise<Reading> {
      const tick = ((cursor as number | null) ?? 0) + 1;
      const over = tick > ends;
      const t = at + Math.min(tick, ends) * 5000;
      const what: Found = over ? { canary: { errors: { state: 'ended' } } } : found(tick);
      const observation = { v: 1 as const, tick, t, from: over ? t : t - 5000, ...what };
      return { observation, cursor: tick, ended: over };
    },
  };
}

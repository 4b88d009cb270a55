import fc from 'fast-check';
import type { Policy } from '../../../src/lib/judge/policy.js';
import type { MetricSource, Reading, ReadRequest } from '../../../src/lib/metrics/source.js';
import type { Canary } from '../../../src/lib/readings/canary.js';
import { policy } from '../judge/looks.js';
import { drive, driver, FakeClock, type Found, type Place, START, start } from './harness.js';

const KINDS = ['healthy', 'thin', 'bad', 'late bad', 'no data', 'flapping', 'incident', 'drifting'] as const;
type Kind = (typeof KINDS)[number];

/** A small seeded generator: what one look finds follows from the scenario and the number of the look alone. */
function noise(seed: number, look: number, salt: number): number {
  let x = (seed ^ Math.imul(look + 1, 0x9e3779b1) ^ Math.imul(salt, 0x85ebca6b)) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x45d9f3b) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x45d9f3b) >>> 0;
  return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32;
}

export interface Scenario {
  policy: Policy;
  kind: Kind;
  seed: number;
  /** Requests a look. */
  total: number;
  /** From this look on it is bad, drifts, or both arms have their incident. */
  turns: number;
  pace: 'clock' | 'input';
  /** At these looks the driver is another process, which reads everything from the log. */
  restarts: number[];
  /** At these looks nobody looks for some seconds. */
  pauses: number[];
  /** At these looks the measured time lags, so that it would run backwards. */
  backwards: number[];
  dryRun: boolean;
}

function rateAt({ kind, turns }: Scenario, look: number): number {
  const turned = look >= turns;
  if (kind === 'bad') return 0.2;
  if (kind === 'late bad') return turned ? 0.2 : 0.005;
  return kind === 'incident' && turned ? 0.15 : 0.005;
}

function found(s: Scenario, look: number): Found {
  const n = (salt: number) => noise(s.seed, look, salt);
  const silent = s.kind === 'no data' || (s.kind === 'flapping' && n(1) < 0.3);
  if (silent) {
    const state = (['unreachable', 'absent', 'stale', 'invalid'] as const)[Math.floor(n(2) * 4)]!;
    return { canary: { errors: { state }, latency: { state }, score: { state } }, scalars: { ttft: { state } } };
  }
  const total = s.kind === 'thin' ? Math.floor(n(3) * 6) : Math.round(s.total * (0.5 + n(3)));
  const arm = (rate: number, salt: number, resets: number) => {
    const bad = Math.min(total, Math.round(total * rate * 2 * n(salt)));
    const shifted = s.kind === 'drifting' && look >= s.turns && salt === 4 ? 0.8 : 0.3;
    const high = Math.round(total * shifted * (0.9 + n(salt + 1) / 5));
    return {
      errors: { state: 'ok' as const, bad, total },
      latency: { state: 'ok' as const, bounds: [100, 200, 400], counts: [total - bad, 0, bad, 0] },
      score: { state: 'ok' as const, bounds: [0.5], counts: [Math.max(0, total - high), high] },
      inflight: Math.floor(n(salt + 2) * 5),
      ...(resets > 0 ? { resets } : {}),
    };
  };
  const rate = rateAt(s, look);
  return {
    canary: arm(rate, 4, n(8) < 0.05 ? 1 : 0),
    baseline: arm(s.kind === 'incident' ? rate : 0.004, 9, 0),
    scalars: { ttft: { state: 'ok', value: rate > 0.1 ? 900.25 : 300 + n(12) } },
  };
}

/** Gives the scenario's looks; an input also sets their times and says when it ends. */
function sourceOf(s: Scenario, clock: FakeClock): MetricSource {
  const interval = s.policy.intervalSeconds * 1000;
  return {
    descriptor: { kind: 'none' },
    pace: s.pace,
    check: async () => undefined,
    close: async () => undefined,
    async read({ cursor }: ReadRequest): Promise<Reading> {
      const last = cursor as { look: number; at: number } | null;
      const look = (last?.look ?? -1) + 1;
      const end = s.pace === 'input' && look > s.policy.maxWindowSeconds / s.policy.intervalSeconds - (s.seed % 4);
      const at = s.pace === 'input' ? START + look * interval : clock.now();
      const t = end ? last!.at : s.backwards.includes(look) ? at - 2500 : at;
      const over = { state: 'ended' } as const;
      const first = { state: 'first' } as const;
      const what: Found = end
        ? { canary: { errors: over, latency: over, score: over } }
        : look === 0
          ? { canary: { errors: first, latency: first, score: first } }
          : found(s, look);
      const tick = s.pace === 'input' ? { tick: look } : {};
      const from = Math.min(t, last?.at ?? t);
      return { observation: { v: 1, ...tick, t, from, ...what }, cursor: { look, at: t }, ended: end };
    },
  };
}

/** A whole canary of the scenario, from its request to what was carried out. */
export async function run(at: Place, s: Scenario): Promise<Canary> {
  const clock = new FakeClock();
  const { id } = await start(at.ledger, clock, { policy: s.policy, dryRun: s.dryRun });
  const context = { ...driver({ ledger: at.ledger, clock, source: sourceOf(s, clock) }), clock };
  let look = 0;
  return drive(context, id, (next) => {
    look++;
    if (s.restarts.includes(look)) {
      context.sessions.clear();
      context.leases.clear();
    }
    if (s.pauses.includes(look)) clock.time = next + 1 + (s.seed % 7777);
  });
}

const targets = fc
  .record(
    {
      max_error_rate: fc.constantFrom(0.01, 0.02, 0.05),
      latency_p95_ms: fc.constantFrom(150, 200, 250),
      max_drift: fc.constantFrom(0.1, 0.3),
    },
    { requiredKeys: [] },
  )
  .map((some) => (Object.keys(some).length > 0 ? some : { max_error_rate: 0.02 }));

const mixed = fc
  .record({
    ticks: fc.integer({ min: 8, max: 24 }),
    intervalSeconds: fc.constantFrom(1, 2.5, 5),
    targets,
    promote: fc.constantFrom('end', 'end', 'early'),
    onInconclusive: fc.constantFrom('block', 'extend', 'promote'),
    onNoData: fc.constantFrom('block', 'hold', 'rollback'),
    noDataSeconds: fc.constantFrom(3, 20, 90),
    designEffect: fc.record({ batchSize: fc.constantFrom(1, 1, 5), estimate: fc.boolean() }),
    baseline: fc.constantFrom('auto', 'required', 'none'),
    relative: fc.constantFrom({}, {}, { max_error_ratio: 3 }),
    objectives: fc.constantFrom<string[]>([], [], ['ttft < 800']),
  })
  .map(({ ticks, onInconclusive, ...rest }) => {
    const windowSeconds = ticks * rest.intervalSeconds;
    const longer = onInconclusive === 'extend' ? { maxWindowSeconds: windowSeconds * 1.5 } : {};
    return policy({ ...rest, ...longer, onInconclusive, windowSeconds, minCoverage: 0.5 });
  });

const some = fc.array(fc.integer({ min: 1, max: 24 }), { maxLength: 3 });
export const scenarios: fc.Arbitrary<Scenario> = fc.record({
  policy: mixed,
  kind: fc.constantFrom(...KINDS),
  seed: fc.nat(),
  total: fc.integer({ min: 20, max: 2000 }),
  turns: fc.integer({ min: 2, max: 20 }),
  pace: fc.constantFrom('clock', 'clock', 'input'),
  restarts: some,
  pauses: some,
  backwards: some,
  dryRun: fc.boolean(),
});

import { createHash } from 'node:crypto';
import Database from 'better-sqlite3';
import { expect } from 'chai';
import fc from 'fast-check';
import type { Observation } from '../../../src/lib/judge/observation.js';
import type { Policy } from '../../../src/lib/judge/policy.js';
import { judge } from '../../../src/lib/judge/report.js';
import { canonicalJson } from '../../../src/lib/ledger/tree/canonical.js';
import type { MetricSource, Reading, ReadRequest } from '../../../src/lib/metrics/source.js';
import type { Canary } from '../../../src/lib/readings/canary.js';
import { cases } from '../../cases.js';
import { policy } from '../judge/looks.js';
import { drive, driver, FakeClock, type Found, type Place, place, START, start } from './harness.js';

const ALL = 2000;
const CANARIES = cases(ALL);

const KINDS = ['healthy', 'thin', 'bad', 'late bad', 'no data', 'flapping', 'incident', 'drifting'] as const;
type Kind = (typeof KINDS)[number];

/** A small seeded generator: what one look finds follows from the scenario and the number of the look alone. */
function noise(seed: number, look: number, salt: number): number {
  let x = (seed ^ Math.imul(look + 1, 0x9e3779b1) ^ Math.imul(salt, 0x85ebca6b)) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x45d9f3b) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x45d9f3b) >>> 0;
  return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32;
}

interface Scenario {
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

async function run(at: Place, s: Scenario): Promise<Canary> {
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

/** The bytes as they lie in the database, read without the ledger. */
function recorded(db: Database.Database, id: string): { bodies: string[]; lines: string[] } {
  const column = (sql: string) => db.prepare<[string], string>(sql).pluck().all(id);
  return {
    bodies: column('SELECT body FROM events WHERE subject = ? ORDER BY seq'),
    lines: column('SELECT body FROM canary_metrics WHERE canary = ? ORDER BY tick'),
  };
}

function checkReplay(db: Database.Database, canary: Canary): void {
  const { bodies, lines } = recorded(db, canary.id);
  const events = bodies.map((body) => JSON.parse(body));
  const decisions = events.filter(({ kind }) => kind === 'canary.decided');
  expect(decisions.length).to.equal(1);
  const { seq, ts, subject, data } = decisions[0];
  const observations = lines.map((line) => JSON.parse(line) as Observation);
  const { policy: own } = events.find(({ kind }) => kind === 'canary.requested').data;
  const { startedAt } = events.find(({ kind }) => kind === 'canary.started').data;

  const verdict = judge(own, startedAt, observations);
  expect(canonicalJson(data.verdict)).to.equal(canonicalJson(verdict));
  const hash = createHash('sha256');
  for (const line of lines) hash.update(`${line}\n`);
  const judged = {
    count: lines.length,
    firstAt: observations[0]!.t,
    lastAt: observations.at(-1)!.t,
    digest: hash.digest('hex'),
  };
  expect(data.observations).to.deep.equal(judged);
  const again = { v: 1, kind: 'canary.decided', subject, ts, seq, data: { verdict, observations: judged } };
  expect(bodies).to.include(canonicalJson(again));
  expect(verdict.decision).to.not.equal('continue');
  expect(verdict.tick).to.equal(observations.at(-1)!.tick);
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
const scenarios: fc.Arbitrary<Scenario> = fc.record({
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

describe('a canary judged live', () => {
  let at: Place;
  let db: Database.Database;
  before(async () => {
    at = await place();
    db = new Database(at.path, { readonly: true });
  });
  after(async () => {
    db.close();
    await at.close();
  });

  it(`is judged the same in replay, to the byte (${CANARIES} canaries)`, async function () {
    this.timeout(180_000);
    const ends = new Set<string>();
    let count = 0;
    await fc.assert(
      fc.asyncProperty(scenarios, async (s) => {
        const canary = await run(at, s);
        checkReplay(db, canary);
        ends.add(`${canary.state} ${canary.verdict?.reason}`);
        count++;
      }),
      { numRuns: CANARIES },
    );
    expect(count).to.equal(CANARIES);
    if (CANARIES < ALL) return;
    // Whatever can end a canary has ended some.
    expect([...ends]).to.include.members([
      'PROMOTED certified_at_end',
      'PROMOTED certified_early',
      'PROMOTED met_without_certificate',
      'ROLLED_BACK evidence_against',
      'ROLLED_BACK failing_readings',
      'BLOCKED inconclusive',
      'BLOCKED no_data',
      'BLOCKED source_unreachable',
      'BLOCKED coverage',
      'BLOCKED not_attributable',
    ]);
  });
});

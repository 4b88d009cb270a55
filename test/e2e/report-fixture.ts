import type { ArmReading, CountSignal, HistogramSignal, Observation } from '../../src/lib/judge/observation.js';
import { parsePolicy } from '../../src/lib/judge/policy-schema.js';
import { replay } from '../../src/lib/replay/replay.js';
import { renderReport } from '../../src/lib/replay/report/report.js';
import { parseAxis } from '../../src/lib/replay/sweep-axes.js';
import { START } from '../lib/judge/looks.js';
import { recorded, request } from '../lib/replay/recordings.js';

/** What somebody called a model, who would like the page to run it. */
export const EVIL = '"><script>document.title="run"</script><img src=x onerror=alert(1)>';

const LATENCY_MS = [25, 50, 100, 150, 200, 250, 300, 500, 1000];
const SCORES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
const own = parsePolicy({
  name: 'fraud production',
  windowSeconds: 300,
  intervalSeconds: 5,
  targets: { latency_p95_ms: 300, max_error_rate: 0.1, max_drift: 0.2 },
  objectives: ['queue_depth <= 40'],
});
const OTHER = {
  name: 'slo-prod',
  windowSeconds: 300,
  intervalSeconds: 5,
  targets: { latency_p95_ms: 250, max_error_rate: 0.02, max_drift: 0.15 },
  objectives: ['queue_depth <= 40'],
};

/** Numbers that look measured and are the same every time. */
const wave = (tick: number, seed: number) => (Math.sin(tick * 1.7 + seed) + Math.sin(tick * 0.61 + 2 * seed)) / 2;

function arm(
  tick: number,
  seed: number,
  { bad, slow, shift }: { bad: number; slow: number; shift: number },
): ArmReading {
  const n = Math.round(600 + 60 * wave(tick, seed));
  const failed: CountSignal = {
    state: 'ok',
    bad: Math.max(0, Math.round(bad * n * (1 + wave(tick, seed + 1)))),
    total: n,
  };
  const shares = [0.05, 0.2, 0.35, 0.2, 0.1, 0.05, slow / 2, slow / 3, slow / 6, 0.001];
  const counts = shares.map((share, i) => Math.round(n * share * (1 + 0.2 * wave(tick, seed + i))));
  const latency: HistogramSignal = { state: 'ok', bounds: LATENCY_MS, counts };
  const score = [0.3, 0.2, 0.15, 0.1, 0.07, 0.06, 0.05, 0.03, 0.03, 0.01].map((share, i) =>
    Math.round(n * Math.max(0.005, share + shift * (i - 4.5) * 0.01)),
  );
  return { errors: failed, latency, score: { state: 'ok', bounds: SCORES, counts: score } };
}

interface Kind {
  bad: number;
  slow: number;
  shift: number;
  silent?: [number, number];
}

function observations(seed: number, { silent, ...kind }: Kind): Observation[] {
  return Array.from({ length: 61 }, (_, tick): Observation => {
    const t = START + tick * 5000;
    const gone = silent !== undefined && tick >= silent[0] && tick < silent[1];
    const nothing = { state: 'unreachable', detail: 'connection refused' } as const;
    const first = { errors: { state: 'first' }, latency: { state: 'first' }, score: { state: 'first' } } as const;
    const canary = gone ? { errors: nothing, latency: nothing, score: nothing } : arm(tick, seed, kind);
    return {
      v: 1,
      tick,
      t,
      from: tick === 0 ? t : t - 5000,
      canary: tick === 0 ? first : canary,
      baseline: tick === 0 ? first : arm(tick, seed + 7, { bad: 0.004, slow: 0.02, shift: 0 }),
      scalars: { queue_depth: gone ? nothing : { state: 'ok', value: Math.round(12 + 8 * wave(tick, seed)) } },
    };
  });
}

/** A report with everything on it: a flip, a silence, material that is missing, sweep, and a name that is markup. */
export async function report(): Promise<string> {
  const digest = 'ab12'.repeat(16);
  const canaries = [
    recorded(own, observations(1, { bad: 0.035, slow: 0.03, shift: 0.4 }), { canaryId: 'c-mm7pjtmo3830e0' }),
    recorded(own, observations(2, { bad: 0.004, slow: 0.02, shift: 0, silent: [20, 27] }), {
      canaryId: 'c-mm7pjtmo3830e1',
      modelId: EVIL,
    }),
    recorded(own, observations(3, { bad: 0.5, slow: 0.3, shift: 2 }), {
      canaryId: 'c-mm7pjtmo3830e2',
      overridden: 'promoted by ann: the rollback was worse',
    }),
  ];
  const { result, series } = await replay(
    canaries,
    request({
      from: START,
      to: START + 3_600_000,
      policyName: 'slo-prod',
      keepSeries: true,
      given: { written: OTHER, where: 'slo-prod.json' },
      axes: [parseAxis('targets.latency_p95_ms=150,200,250,300'), parseAxis('targets.max_error_rate=0.01:0.1:0.005')],
      log: { size: 1234, root: digest },
    }),
  );
  return renderReport(result, series);
}

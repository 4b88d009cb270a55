import type { PlanReport, Policy } from '../../judge/index.js';
import type { Proposal } from '../../metrics/discover/index.js';

/** A policy that the measured traffic can decide, what it would decide, and why each number is what it is. */
export interface PolicyProposal {
  /** As it is written to the file. */
  input: Record<string, unknown>;
  notes: { at: string[]; lines: string[] }[];
  /** Null: no traffic was measured, or nothing can be planned. */
  plan: PlanReport | null;
  policy: Policy | null;
}

export interface PolicyGround {
  proposal: Proposal;
  hasBaseline: boolean;
  /** Seconds between two samples at a Prometheus. */
  scrapeSeconds: number | null;
  /** Requests a second that the canary is to serve, where somebody says so. */
  perSecond: number | null;
}

const WINDOWS = [120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800, 86_400];
const INTERVALS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600];
const ERROR_LIMITS = [0.02, 0.05, 0.1, 0.2, 0.5];
/** Of those requests that may be slow a healthy version uses a quarter. */
const SLOW_SHARE = 0.05 / 4;
/** Of the measured traffic that has to suffice. */
const LEAST_SHARE = 0.7;
/** A canary that does not serve yet is expected to get a tenth of the traffic. */
const CANARY_SHARE = 0.1;

/** Proposes targets that the version that serves now meets with room, and the shortest window that can certify them. */
export async function proposePolicy(ground: PolicyGround): Promise<PolicyProposal> {
  const { proposal, hasBaseline } = ground;
  const { errors, latency, drift, measured } = proposal;
  const notes: PolicyProposal['notes'] = [];
  const targets: Record<string, number> = {};
  const expected: { errorRate?: number; slowRate?: number } = {};
  if (latency.text !== null) {
    const { ms, share, why } = latencyLimit(measured);
    targets['latency_p95_ms'] = ms;
    if (share !== null) expected.slowRate = Math.max(share, SLOW_SHARE);
    notes.push({ at: ['targets', 'latency_p95_ms'], lines: [why] });
  }
  if (errors.text !== null) {
    const rate = measured.errorRate ?? 0;
    const limit = ERROR_LIMITS.find((one) => one >= 2.5 * rate) ?? 0.5;
    targets['max_error_rate'] = limit;
    expected.errorRate = Math.max(rate, limit / 4);
    notes.push({ at: ['targets', 'max_error_rate'], lines: [errorNote(measured)] });
  }
  const { rate, why } = canaryRate(ground);
  const drifts = drift.text !== null && hasBaseline;
  if (drifts && (Object.keys(targets).length === 0 || rate !== null)) {
    targets['max_drift'] = 0.25;
    notes.push({ at: ['targets', 'max_drift'], lines: ['above 0.25 the scores usually count as shifted'] });
  }
  const { parsePolicy } = await import('../../judge/policy-schema.js');
  const { planPolicy } = await import('../../judge/plan.js');
  const shape = (windowSeconds: number): Record<string, unknown> => {
    const intervalSeconds = intervalFor(windowSeconds, ground.scrapeSeconds);
    return {
      windowSeconds,
      intervalSeconds,
      ...(intervalSeconds > 30 ? { noDataSeconds: 3 * intervalSeconds } : {}),
      ...(hasBaseline ? {} : { baseline: 'none' }),
      targets,
    };
  };
  const fits = WINDOWS.filter((window) => window >= 8 * intervalFor(window, ground.scrapeSeconds));
  if (Object.keys(targets).length === 0) return { input: shape(300), notes, plan: null, policy: null };
  const planned = (window: number) => {
    const policy = parsePolicy(shape(window), 'slo.yaml');
    return { window, policy, plan: rate === null ? null : planPolicy(policy, { requestsPerSecond: rate, expected }) };
  };
  const all = rate === null ? [] : fits.map(planned);
  // With room: traffic varies.
  const chosen =
    all.find(({ policy }) => planPolicy(policy, { requestsPerSecond: rate! * LEAST_SHARE, expected }).decidable) ??
    all.find(({ plan }) => plan?.decidable) ??
    planned(rate === null ? 300 : (fits.at(-1) ?? 300));
  notes.push({ at: ['windowSeconds'], lines: [windowNote(chosen.plan, why)] });
  if (ground.scrapeSeconds !== null)
    notes.push({ at: ['intervalSeconds'], lines: [`Prometheus reads the service every ${ground.scrapeSeconds} s`] });
  return { input: shape(chosen.window), notes, plan: chosen.plan, policy: chosen.policy };
}

function latencyLimit({ slower, p95AtMost, over }: Proposal['measured']): {
  ms: number;
  share: number | null;
  why: string;
} {
  const span = over === 'measured' ? 'now' : 'since the service began';
  if (slower === null)
    return { ms: 250, share: null, why: 'check this: no request has been seen yet, 250 ms is a guess' };
  const found = slower.find(({ share }) => share <= SLOW_SHARE);
  if (found !== undefined) {
    const now = p95AtMost === null ? '' : `95% take at most ${p95AtMost} ms ${span}; `;
    return { ...found, why: `${now}${found.ms} ms is a bound of a bucket, so that no request is in doubt` };
  }
  const last = slower.at(-1)!;
  const why = `check this: ${percent(last.share)} of requests are above the last bucket (${last.ms} ms); add buckets above it`;
  return { ...last, why };
}

function errorNote({ errorRate, failed, requests, over }: Proposal['measured']): string {
  if (errorRate === null) return 'check this: no request has been seen yet';
  const span = over === 'measured' ? 'while it was measured' : 'since the service began';
  return `${failed.toLocaleString('en')} of ${requests.toLocaleString('en')} requests failed ${span} (${percent(errorRate)})`;
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(2))}%`;
}

/** What the canary is to serve, and how that is known. */
function canaryRate({ proposal: { measured, arms }, perSecond }: PolicyGround): { rate: number | null; why: string } {
  if (perSecond !== null) return { rate: perSecond, why: 'as given by --rps' };
  const { canaryPerSecond, baselinePerSecond } = measured;
  if ((canaryPerSecond ?? 0) > 0) return { rate: rounded(canaryPerSecond!), why: 'measured' };
  if ((baselinePerSecond ?? 0) > 0) {
    const rate = rounded(baselinePerSecond! * CANARY_SHARE);
    const why = `a tenth of the ${rounded(baselinePerSecond!)}/s of ${arms.found?.baselineValue ?? 'the baseline'}; the canary serves nothing yet`;
    return { rate, why };
  }
  return { rate: null, why: 'no traffic was measured' };
}

function rounded(rate: number): number {
  return Number(rate.toPrecision(2));
}

function windowNote(plan: PlanReport | null, why: string): string {
  if (plan === null) return 'no traffic was measured: check with lukhas plan --policy slo.yaml --rps RATE';
  return `${plan.windowRequests.toLocaleString('en')} requests at ${plan.requestsPerSecond}/s (${why})`;
}

function intervalFor(windowSeconds: number, scrapeSeconds: number | null): number {
  const least = Math.max(windowSeconds / 60, scrapeSeconds ?? 1);
  return INTERVALS.find((interval) => interval >= least) ?? 600;
}

import { certifiesAtMost } from './clopper-pearson.js';
import { nameOf, objectivesOf, promotionMethod, type RateSpec } from './objectives/index.js';
import { requestsNeeded } from './planning.js';
import type { Policy } from './policy.js';
import { logE } from './rate-evidence.js';
import { bisect, normalQuantile } from './special.js';

export interface Traffic {
  /** Requests a second that the canary will serve, above 0. */
  requestsPerSecond: number;
  /** Shares, 0..1, that a healthy canary is expected to show; by default half of what the target allows. */
  expected?: { errorRate?: number; slowRate?: number };
}

/** What a policy can decide at a traffic, before anything runs. For planning: chance decides the single run. */
export interface PlanReport {
  requestsPerSecond: number;
  /** The longest window: with `onInconclusive: extend` the extended one. */
  windowSeconds: number;
  windowRequests: number;
  /** Seconds before the window that are not judged; all other times are counted from their end. */
  warmupSeconds: number;
  /** True when every objective named here can be certified within the window. */
  decidable: boolean;
  objectives: ObjectivePlan[];
  /** Objectives whose needs do not follow from the policy alone, and why. */
  unplanned: { name: string; why: string }[];
}

export interface ObjectivePlan {
  name: string;
  /** Largest share of bad requests that the policy allows. */
  p0: number;
  expectedRate: number;
  promotion: PromotionPlan;
  /** Canaries whose share of bad requests is so many times p0; those that would be 1 or more are left out. */
  rollback: RollbackPlan[];
}

export interface PromotionPlan {
  method: 'clopper-pearson' | 'e-process';
  /** Requests after which a canary at the expected rate is certified half of the time; null: never, it is too near p0. */
  requests: number | null;
  /** The same nine times in ten: what to plan with. */
  likelyRequests: number | null;
  /** True when the window sees `likelyRequests`. */
  decidable: boolean;
  /** Seconds after the start at which it would be promoted; null when it would not. */
  seconds: number | null;
  /** Traffic from which on the window suffices; null: none. */
  smallestRequestsPerSecond: number | null;
}

export interface RollbackPlan {
  times: 2 | 4;
  rate: number;
  /** Requests after which the evidence suffices when the share is just this. */
  requests: number | null;
  /** Seconds after the start, at a look; null: not within the window. */
  seconds: number | null;
}

/**
 * How much traffic and time a policy needs to certify its targets and to notice a regression. Pure.
 * @param traffic requests a second above 0 (RangeError otherwise)
 */
export function planPolicy(policy: Policy, traffic: Traffic): PlanReport {
  const { requestsPerSecond } = traffic;
  if (!(requestsPerSecond > 0)) throw new RangeError(`requestsPerSecond must be above 0, got ${requestsPerSecond}`);
  const all = objectivesOf(policy, 1);
  const shown = new Set(policy.reportOnly);
  const counted = all.counted.filter((o) => !shown.has(nameOf(o.counted)));
  const custom = all.custom.filter((o) => !shown.has(nameOf(o)));
  const rates = counted.flatMap(({ counted: o }) => (o.type === 'rate' && o.spec.ratio === null ? [o.spec] : []));
  const objectives = rates.map((spec) => objectivePlan(spec, policy, traffic, counted.length));
  return {
    requestsPerSecond,
    windowSeconds: policy.maxWindowSeconds,
    windowRequests: requestsInWindow(policy, requestsPerSecond),
    warmupSeconds: policy.warmupSeconds ?? 0,
    decidable: objectives.every(({ promotion }) => promotion.decidable),
    objectives,
    unplanned: [
      ...counted.flatMap(({ counted: o }) => {
        if (o.type === 'drift')
          return [{ name: o.name, why: 'depends on how the scores are spread and on the baseline' }];
        return o.spec.ratio === null ? [] : [{ name: o.spec.name, why: "depends on the baseline's traffic and rate" }];
      }),
      ...custom.map(({ rule }) => ({ name: rule.name, why: 'judged reading by reading, not by requests' })),
      ...[...shown].map((name) => ({ name, why: 'only reported: it decides nothing' })),
    ],
  };
}

function objectivePlan(spec: RateSpec, policy: Policy, traffic: Traffic, objectives: number): ObjectivePlan {
  const given = spec.signal === 'errors' ? traffic.expected?.errorRate : traffic.expected?.slowRate;
  const expectedRate = given ?? spec.p0 / 2;
  return {
    name: spec.name,
    p0: spec.p0,
    expectedRate,
    promotion: promotionPlan(spec.p0, expectedRate, policy, traffic.requestsPerSecond),
    rollback: ([2, 4] as const)
      .filter((times) => times * spec.p0 < 1)
      .map((times) => rollbackPlan(times, spec.p0, policy, traffic.requestsPerSecond, objectives)),
  };
}

function promotionPlan(p0: number, expectedRate: number, policy: Policy, requestsPerSecond: number): PromotionPlan {
  const method = promotionMethod(policy);
  const { windowSeconds, maxWindowSeconds, alpha, designEffect } = policy;
  const requests = requestsNeeded(expectedRate, p0, alpha.promote, method, designEffect.batchSize);
  const likely = requests === null ? null : likelyRequests(expectedRate, p0, requests, policy);
  const decidable = likely !== null && likely <= requestsInWindow(policy, requestsPerSecond);
  const enoughAt = likely === null ? 0 : lookAfter(likely / requestsPerSecond, policy);
  const earliest = policy.promote === 'early' ? 0 : windowSeconds;
  return {
    method,
    requests,
    likelyRequests: likely,
    decidable,
    seconds: decidable ? Math.min(maxWindowSeconds, Math.max(earliest, enoughAt)) : null,
    smallestRequestsPerSecond: likely === null ? null : likely / maxWindowSeconds,
  };
}

const NINE_IN_TEN = normalQuantile(0.9);

/** Requests at which even the share that chance exceeds only once in ten is certified (normal approximation). */
function likelyRequests(rate: number, p0: number, atLeast: number, policy: Policy): number | null {
  const D = policy.designEffect.batchSize;
  const alpha = policy.alpha.promote;
  const exact = promotionMethod(policy) === 'clopper-pearson';
  return smallestCount(atLeast, (n) => {
    const unlucky = Math.min(1, rate + NINE_IN_TEN * Math.sqrt((rate * (1 - rate) * D) / n)) * n;
    if (exact) return certifiesAtMost(unlucky / D, n / D, p0, alpha);
    return unlucky < p0 * n && logE(-1, unlucky, n, p0, D) >= -Math.log(alpha);
  });
}

/**
 * The evidence of one objective must carry the mean over all of them, with the half of its weight that is
 * spent on a regression from the start: as if it alone had to reach 2 * objectives / alpha.
 */
function rollbackPlan(
  times: 2 | 4,
  p0: number,
  policy: Policy,
  requestsPerSecond: number,
  objectives: number,
): RollbackPlan {
  const rate = times * p0;
  const threshold = Math.log((2 * objectives) / policy.alpha.rollback);
  const requests = smallestCount(1, (n) => logE(1, rate * n, n, p0, policy.designEffect.batchSize) >= threshold);
  const seconds = requests === null ? null : lookAfter(requests / requestsPerSecond, policy);
  return { times, rate, requests, seconds: seconds !== null && seconds <= policy.maxWindowSeconds ? seconds : null };
}

/** No plan reaches further. */
const MOST_REQUESTS = 2 ** 50;

/** Smallest whole count from `least` on that is enough; null when none up to MOST_REQUESTS is. */
function smallestCount(least: number, enough: (n: number) => boolean): number | null {
  let most = least;
  while (!enough(most)) {
    most *= 2;
    if (most > MOST_REQUESTS) return null;
  }
  return most === least ? least : Math.ceil(bisect(most / 2, most, (n) => !enough(n)).hi);
}

/** Whole requests; a hair is forgiven, so that the traffic computed for a number of requests yields that number. */
function requestsInWindow({ maxWindowSeconds }: Policy, requestsPerSecond: number): number {
  return Math.floor(requestsPerSecond * maxWindowSeconds * (1 + 1e-12));
}

/** Evidence is looked at once an interval: the first look at or after so many seconds. */
function lookAfter(seconds: number, { intervalSeconds }: Policy): number {
  return Math.max(1, Math.ceil(seconds / intervalSeconds - 1e-9)) * intervalSeconds;
}

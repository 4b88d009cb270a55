import type { ObjectivePlan, PlanReport } from '../judge/index.js';
import { count, percent, plural, seconds } from './words.js';

/** A plan in words: whether the traffic is enough, then what each objective needs; pure. */
export function planLines(plan: PlanReport): string[] {
  return [
    verdict(plan),
    ...plan.objectives.flatMap(objective),
    ...plan.unplanned.map((o) => `${o.name}: not planned, ${o.why}`),
  ];
}

function verdict(plan: PlanReport): string {
  const { requestsPerSecond, windowSeconds, windowRequests, objectives, decidable, warmupSeconds } = plan;
  const rate = `${plural(requestsPerSecond, 'request')}/s`;
  const after = warmupSeconds > 0 ? `, after a warm-up of ${seconds(warmupSeconds)},` : '';
  const sees = `a window of ${seconds(windowSeconds)}${after} sees ${plural(windowRequests, 'request')} at ${rate}`;
  if (objectives.length === 0) return `Nothing to plan: ${sees}.`;
  if (decidable) return `Enough traffic: ${sees}.`;
  const needs = objectives.map(({ promotion }) => promotion.likelyRequests ?? Number.POSITIVE_INFINITY);
  const most = Math.max(...needs);
  return Number.isFinite(most)
    ? `NOT enough traffic: needs ${count(most)} requests, ${sees}.`
    : `CANNOT be promoted: the expected rate is too close to a limit; ${sees}.`;
}

function objective(o: ObjectivePlan): string[] {
  const { promotion: p, name } = o;
  const bad =
    name === 'error_rate' ? 'failed requests' : name.startsWith('latency_') ? 'slow requests' : 'values above it';
  const healthy = `a canary with ${percent(o.expectedRate)} ${bad} (limit ${percent(o.p0)})`;
  const promoted =
    p.likelyRequests === null
      ? `${healthy} is never promoted: it is too close to its limit`
      : p.decidable
        ? `${healthy} is promoted after ${seconds(p.seconds ?? 0)}; it needs ${count(p.likelyRequests)} requests`
        : `${healthy} needs ${count(p.likelyRequests)} requests: at least ${p.smallestRequestsPerSecond?.toPrecision(3)} requests/s in this window`;
  const rollbacks = o.rollback.map((r) =>
    r.seconds === null
      ? `at ${r.times}x the limit it is not detected within the window`
      : `at ${r.times}x the limit it is rolled back after about ${seconds(r.seconds)} (${plural(r.requests ?? 0, 'request')})`,
  );
  return [`${name}: ${promoted}`, ...rollbacks.map((line) => `  ${line}`)];
}

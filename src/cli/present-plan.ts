import { count, percent, seconds } from '../lib/explain/index.js';
import type { ObjectivePlan, PlanReport } from '../lib/judge/index.js';
import { block, type Styled } from './screen.js';

/** The plan in words: whether the traffic is enough, then what each objective needs. */
export function presentPlan(plan: PlanReport): Styled {
  const rate = `${count(plan.requestsPerSecond)} requests/s`;
  const traffic = `${rate} gives ${count(plan.windowRequests)} requests in a window of ${seconds(plan.windowSeconds)}`;
  return block([
    plan.decidable ? `Enough traffic: ${traffic}.` : `NOT enough traffic to promote reliably: ${traffic}.`,
    ...plan.objectives.flatMap(objective),
    ...plan.unplanned.map((o) => `${o.name}: not planned, ${o.why}`),
  ]);
}

function objective(o: ObjectivePlan): string[] {
  const { promotion: p, name } = o;
  const healthy = `at ${percent(o.expectedRate)} (limit ${percent(o.p0)})`;
  const promoted =
    p.likelyRequests === null
      ? `a canary ${healthy} is never promoted: it is too close to its limit`
      : p.decidable
        ? `a canary ${healthy} is promoted after ${seconds(p.seconds ?? 0)}; that takes ${count(p.likelyRequests)} requests`
        : `a canary ${healthy} needs ${count(p.likelyRequests)} requests: at least ${p.smallestRequestsPerSecond?.toPrecision(3)} requests/s in this window`;
  const rollbacks = o.rollback.map((r) =>
    r.seconds === null
      ? `at ${r.times}x the limit it is not detected within the window`
      : `at ${r.times}x the limit it is rolled back after about ${seconds(r.seconds)} (${count(r.requests ?? 0)} requests)`,
  );
  return [`${name}: ${promoted}`, ...rollbacks.map((line) => `  ${line}`)];
}

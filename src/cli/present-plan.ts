import { count, percent, seconds } from '../lib/explain/index.js';
import type { ObjectivePlan, PlanReport } from '../lib/judge/index.js';
import { block, type Styled } from './screen.js';

/** The plan in words. */
export function presentPlan(plan: PlanReport): Styled {
  const rate = `${count(plan.requestsPerSecond)} requests/s`;
  return block([
    `${plan.decidable ? 'Can be decided' : 'Can NOT be relied on to promote'} at ${rate}: a window of ${seconds(plan.windowSeconds)} sees ${count(plan.windowRequests)} requests.`,
    ...plan.objectives.flatMap(objective),
    ...plan.unplanned.map((o) => `${o.name}: not planned, ${o.why}`),
  ]);
}

function objective(o: ObjectivePlan): string[] {
  const { promotion: p } = o;
  const healthy = `a canary at ${percent(o.expectedRate)} (at most ${percent(o.p0)})`;
  const promoted =
    p.likelyRequests === null
      ? `${healthy} is never certified: it is too near its target`
      : p.decidable
        ? `${healthy} is certified with ${count(p.likelyRequests)} requests: promoted after ${seconds(p.seconds ?? 0)}`
        : `${healthy} needs ${count(p.likelyRequests)} requests; from ${p.smallestRequestsPerSecond?.toPrecision(3)} requests/s on the window suffices`;
  const bad = o.rollback.map((r) =>
    r.seconds === null
      ? `at ${r.times}x the target it would not be noticed within the window`
      : `at ${r.times}x the target it is rolled back after about ${seconds(r.seconds)} (${count(r.requests ?? 0)} requests)`,
  );
  return [`${o.name}: ${promoted}`, ...bad.map((line) => `  ${line}`)];
}

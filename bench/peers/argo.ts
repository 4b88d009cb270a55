import { TARGETS, TICK, WINDOW } from '../canaries/scenarios.js';
import { shareBad } from '../canaries/traffic.js';
import type { Contender } from './contender.js';

/**
 * Argo Rollouts: one metric, measured every 5 s for the whole window (interval: 5s, count: 24), the first time 5 s after
 * the start (initialDelay: 5s), since at the start there is nothing to read.
 * @param rangeSeconds range of the query's `rate()`
 * @param failureLimit failed measurements that are tolerated
 */
export function argo(name: string, rangeSeconds: number, failureLimit: number): Contender {
  return {
    name,
    settings: `Argo Rollouts: interval 5s, count ${WINDOW / TICK}, failureLimit ${failureLimit}, rate() over ${rangeSeconds} s`,
    judge({ signal, canary }) {
      let failed = 0;
      for (let at = TICK; at <= WINDOW; at += TICK) {
        // utils/evaluate/evaluate.go: without a failureCondition, a measurement that does not meet the successCondition
        // has failed. Here `isNaN(result[0]) || result[0] <= target`: an interval without requests is let pass.
        const result = shareBad(canary, at - rangeSeconds, at);
        if (!Number.isNaN(result) && result > TARGETS[signal]) failed++;
        // analysis/analysis.go, assessMetricStatus: Failed as soon as result.Failed > metric.FailureLimit.
        if (failed > failureLimit) return { decision: 'rolled back', seconds: at };
      }
      // analysis/analysis.go, assessMetricStatus: Successful once result.Count reaches the count.
      return { decision: 'promoted', seconds: WINDOW };
    },
  };
}

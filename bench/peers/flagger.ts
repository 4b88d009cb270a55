import { TARGETS } from '../canaries/scenarios.js';
import { shareBad } from '../canaries/traffic.js';
import type { Contender } from './contender.js';

/** As in docs/gitbook/tutorials/linkerd-progressive-delivery.md: five failed checks, ten steps of 5% up to 50%. */
const THRESHOLD = 5;
const STEP_WEIGHT = 5;
const MAX_WEIGHT = 50;
/** The tutorial's 30 s shortened, so that a canary that passes every check walks through exactly the window. */
const INTERVAL = 12;

/** Flagger: one metric over the analysis interval, at every interval. The canary's traffic does not depend on its weight here. */
export function flagger(): Contender {
  return {
    name: 'flagger',
    settings: `Flagger: interval ${INTERVAL}s, threshold ${THRESHOLD}, stepWeight ${STEP_WEIGHT}, maxWeight ${MAX_WEIGHT}, metric interval ${INTERVAL}s`,
    judge({ signal, canary }) {
      // pkg/controller/scheduler.go, advanceCanary: the first tick checks nothing and routes the first step.
      let weight = STEP_WEIGHT;
      let failedChecks = 0;
      for (let at = INTERVAL; ; at += INTERVAL) {
        // scheduler.go, advanceCanary: the threshold is looked at before the checks of the tick, so one tick late.
        if (failedChecks >= THRESHOLD) return { decision: 'rolled back', seconds: at };
        // pkg/controller/scheduler_metrics.go, runMetricChecks: halts when the value exceeds thresholdRange.max, and
        // when there are no values; each halted tick adds one to the failed checks, which are never reset.
        const value = shareBad(canary, at - INTERVAL, at);
        if (Number.isNaN(value) || value > TARGETS[signal]) {
          failedChecks++;
          continue;
        }
        // scheduler.go, runCanary: a tick that passes advances the weight; at the largest weight it promotes.
        if (weight >= MAX_WEIGHT) return { decision: 'promoted', seconds: at };
        weight += STEP_WEIGHT;
      }
    },
  };
}

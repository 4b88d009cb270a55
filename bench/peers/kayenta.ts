import { TICK, type Trial, WINDOW } from '../canaries/scenarios.js';
import { shareBad, type Traffic } from '../canaries/traffic.js';
import { kayentaClassify } from '../reference/mann-whitney.js';
import type { Contender } from './contender.js';

/**
 * Kayenta (NetflixACAJudge): at the end of the window, the canary's readings against a baseline's; one metric,
 * direction increase, critical. A reading every 5 s is finer than its usual step of 60 s, which would leave it two.
 */
export function kayenta(name: string, baseline: keyof Trial['baseline'], words: string): Contender {
  return {
    name,
    settings: `Kayenta: Mann-Whitney at 0.98, tolerance 0.25, critical metric, step ${TICK} s, baseline ${words}`,
    judge(trial) {
      // NetflixACAJudge.scala: classifyMetric with tolerance 0.25 and confidence 0.98; its limit of the mean ratio is 1
      // unless set, which everything classified High exceeds.
      const classification = kayentaClassify(readings(trial.canary), readings(trial.baseline[baseline]));
      // WeightedSumScorer.scala: the score is 0 when a critical metric is not Pass; direction increase leaves Low out.
      const fails = classification === 'High' || classification === 'Nodata';
      return { decision: fails ? 'rolled back' : 'promoted', seconds: WINDOW };
    },
  };
}

/** Transforms.scala, removeNaNs: readings without requests are dropped. */
function readings(traffic: Traffic): number[] {
  const values: number[] = [];
  for (let at = TICK; at <= WINDOW; at += TICK) {
    const value = shareBad(traffic, at - TICK, at);
    if (!Number.isNaN(value)) values.push(value);
  }
  return values;
}

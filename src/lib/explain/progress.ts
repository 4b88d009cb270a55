import type { Verdict } from '../judge/index.js';
import { briefOdds } from './brief.js';
import { hasEvidence } from './certainty.js';
import { objectiveValue } from './objective-cells.js';
import { seconds } from './words.js';

/** One line on a canary that is being checked; what matters most comes first, as a terminal may cut it. Pure. */
export function progressLine(verdict: Verdict, windowSeconds: number): string {
  const time = `${seconds(verdict.elapsedSeconds)} of ${seconds(windowSeconds)}`;
  const { objectives, evidence, warmup } = verdict;
  if (warmup !== undefined && verdict.at <= verdict.startedAt)
    return `warming up: ${seconds(Math.max(0, warmup.seconds - (verdict.startedAt - verdict.at) / 1000))} of ${seconds(warmup.seconds)}`;
  if (objectives.every((o) => !o.hasData && o.missing?.startsWith('first')))
    return `${time}: waiting for the first counts`;
  const cells = objectives.map((o) => `${o.name} ${objectiveValue(o)}`);
  const evidenceNow = hasEvidence(verdict) ? [`evidence against it ${briefOdds(evidence.logE)}`] : [];
  return `${time}: ${[...evidenceNow, ...cells].join('   ')}`;
}

/**
 * What if: recorded observations judged again under another policy; sweeps over many policies. Pure but for threads.
 */
export { checkPath, counterfactualPolicy, type WrittenPolicy } from './change-policy.js';
export { latestEnd } from './course.js';
export { flipSteps } from './flip-points.js';
export { outcomeSteps } from './outcome-under.js';
export type { Recording } from './recording.js';
export { type Replay, type ReplayRequest, replay } from './replay.js';
export type { CanaryReplay, Difference, Outcome, PastRead, ReplayResult, Side, Sweep } from './result.js';
export type { Steps } from './steps.js';
export { combinations, settingsAt } from './sweep-axes.js';

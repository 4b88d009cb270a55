/**
 * The judge: policy, observation, verdict. Pure: no clock, no input or output, no Node.js module, so that it runs in a
 * browser too. The same observations give the same verdict, byte for byte.
 */
export { type Glance, type GlanceUnit, glance, glanceOf, type ObjectiveGlance } from './glance.js';
export { type Ruling, rule } from './judge.js';
export { begin, heldObjective, type Judgement, observe, windowEndsAt } from './judgement.js';
export {
  type ArmReading,
  type CategorySignal,
  type CountSignal,
  type HistogramSignal,
  type LeftOut,
  MISSING_STATES,
  type Missing,
  type MissingState,
  type Observation,
  type ScalarSignal,
} from './observation.js';
export type { ObjectivePlan, PlanReport } from './plan.js';
export type { ApprovalRule, Policy, Targets } from './policy.js';
export { LONGEST_WINDOW_SECONDS } from './policy-format.js';
export { parsePolicy, parsePolicyText, policyJsonSchema } from './policy-schema.js';
export { quantileWithBucket } from './quantile.js';
export { quantileQuestion } from './quantile-name.js';
export { confidenceSequence } from './rate-evidence.js';
export { judge, noData, report } from './report.js';
export { shownLogE } from './rounding.js';
export { borrowObjectives, takeOverObjectives } from './shared-objectives.js';
export type {
  Bounds,
  Certainty,
  Decision,
  DriftReport,
  EvidencePoint,
  ObjectiveReport,
  RateReport,
  ReadingReport,
  Reason,
  SilentSpan,
  Verdict,
} from './verdict.js';
export { JUDGE_VERSION, judgeVersionOf, withoutLaterKeys } from './version.js';
export { windowBegins } from './warmup.js';

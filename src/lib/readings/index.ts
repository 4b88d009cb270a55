/**
 * What entries of the log mean: the one place that turns them into the state of a canary, gate, promotion or job, the facts
 * of a story, and how a canary ended. Pure. Only the verifiers have their own reading, on purpose.
 */
export { applyEvent, assertAllowed, type Canary, canarySummary, foldCanary, isOpen, isTerminal } from './canary.js';
export { approvalRule, approvalsEndAt, countApprovals, principal } from './consent.js';
export {
  type CanaryHistory,
  callsOf,
  type EventOf,
  type Facts,
  factsOf,
  type GateEntry,
  type HookCallFacts,
  hasOwnTimes,
  type InterimVerdict,
  verdictOf,
} from './facts.js';
export { changeOf, type GateChange, gateName, gateSubject, gateSummary } from './gate.js';
export type { Job, JobState, TaskConfig, TasksConfig } from './job.js';
export { applyJobEvent, foldJob, isFinal, isJobEvent, JOB_KINDS, jobSummary } from './job-state.js';
export { applyPromotionEvent, foldPromotion, type Promotion, promotionSummary } from './promotion.js';
export { foldSummaries } from './summaries.js';

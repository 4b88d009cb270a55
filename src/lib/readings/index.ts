/**
 * What entries of the log mean: the one place that turns them into the state of a canary, gate, promotion or job, the facts
 * of a story, and how a canary ended. Pure. Only the verifiers have their own reading, on purpose.
 */
export { applyEvent, assertAllowed, type Canary, canarySummary, foldCanary, isOpen, isTerminal } from './canary.js';
export { type CanaryOutcome, canaryOutcome } from './canary-outcome.js';
export { approvalRule, approvalsEndAt, countApprovals, principal } from './consent.js';
export {
  type CanaryHistory,
  callsOf,
  type Facts,
  factsOf,
  type GateEntry,
  type HookCallFacts,
  hasOwnTimes,
  type InterimVerdict,
  verdictOf,
} from './facts.js';
export { changeOf, type GateChange, gateName, gateSubject, gateSummary } from './gate.js';
export { JOB_STATES, type Job, type JobState } from './job.js';
export { applyJobEvent, foldJob, isFinal, jobStateAfter, jobSummary } from './job-state.js';
export { type Listing, listingWarning, listOf } from './listing.js';
export {
  type CanaryEvent,
  DECISION_KINDS,
  type DecisionEvent,
  type DecisionKind,
  ENDED_KINDS,
  type EventOf,
  endsWindow,
  type FoundEvent,
  IDLE_KINDS,
  isCanaryEvent,
  isDecision,
  isFound,
  isJobEvent,
  JOB_KINDS,
  type JobEvent,
  meaningOf,
  unhandled,
} from './meaning.js';
export { type DecisionFacts, type Outcome, outcomeOf, STATE_OF_ACTION } from './outcome.js';
export { applyPromotionEvent, foldPromotion, type Promotion, promotionSummary } from './promotion.js';
export { foldSummaries } from './summaries.js';

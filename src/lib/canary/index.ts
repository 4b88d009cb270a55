/**
 * The life of a canary: takes readings, lets the judge rule, records the decision, and carries it out. One idempotent step
 * (advance.ts) under a lease; killed at any moment, the next driver goes on from the log.
 */
export type { Tick } from './advance.js';
export { type ApprovalEligibility, Approvals } from './approvals.js';
export { Canaries, type StartRequest } from './canaries.js';
export { CANARY } from './load.js';
export { pruneCanary } from './prune.js';
export { recordedCanary, type StartedFilter, startedCanaries } from './recorded.js';
export { Runner, type RunnerOptions } from './runner.js';
export { nextDue } from './schedule.js';
export type { Sharer } from './shared-series.js';

/**
 * One file for each kind of objective: how an observation is folded in, its evidence, and its report.
 */
export { driftObjective, stepDrift } from './drift.js';
export { driftReport } from './drift-report.js';
export {
  activeObjectives,
  type CountedObjective,
  certified,
  coverageOfWindow,
  endObjectives,
  logEvidence,
  nameOf,
  type Objective,
  type Objectives,
  objectivesOf,
  pointMeets,
  servedBy,
  settleObjectives,
  stepObjectives,
} from './objective.js';
export { attributable, effectOf, isUnmeasurable, type RateObjective, type RateSpec } from './rate.js';
export { promotionMethod } from './rate-certificate.js';
export { rateReport } from './rate-report.js';
export { type ReadingObjective, readingReport } from './reading.js';

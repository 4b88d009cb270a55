/**
 * Turns what a look found of an arm into what was counted since the last look. Pure: counters have identities, and what
 * cannot be told is a state, never a number (decision 22).
 */
export { type ArmCount, countArm } from './count.js';
export { type ArmCursor, armCursorSchema, type StoredCounters, storedCounters } from './cursor.js';
export { looksLikeFailure, looksLikeSuccess } from './failures.js';
export { sumHistograms } from './histogram.js';
export { PROCESS_START, seriesNames } from './plan.js';
export { processStart } from './processes.js';
export type { Unseen } from './unseen.js';

/**
 * Writes an evidence pack: what was logged in a window, the proof that nothing is missing, signatures.
 */
export type { OnEntries } from './entries.js';
export { type FillQueries, type PackPlan, planPack } from './plan.js';
export { writePack } from './write.js';

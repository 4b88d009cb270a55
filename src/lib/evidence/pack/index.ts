/**
 * Writes an evidence pack: the log entries of a window, the proof that none is missing, and signatures.
 */
export type { OnEntries } from './entries.js';
export { type FillQueries, type PackPlan, planPack } from './plan.js';
export { writePack } from './write.js';

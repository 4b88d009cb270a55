/**
 * Use cases for evidence: export, prove, verify, checkpoints and witnesses, with configuration and keys resolved.
 */
export { hasLogKey, openCheckpoints, publishCheckpoint } from './checkpoints.js';
export { EvidenceExport, type ExportRequest, type ExportSummary, recordFailure } from './export.js';
export { proveEntry } from './prove.js';
export type { EvidenceRequest } from './verify-file.js';
export { openWitness } from './witness.js';

/**
 * Verifies packs, proofs and checkpoints offline. Shares no code with what writes them.
 */
export type { Entry } from './entry.js';
export { KeptCheck } from './kept.js';
export { type PackReport, verifyPack } from './pack.js';
export { type ProofReport, verifyProofFile } from './proof.js';
export { EvidenceFindings, type EvidenceReport, joinReports } from './report.js';
export { claimedCheckpoint, verifyLogCheckpoint } from './signatures.js';
export { type ConsistencyProof, verifyLogSince, verifyProofSince } from './since.js';
export { ZippedPack } from './zip.js';

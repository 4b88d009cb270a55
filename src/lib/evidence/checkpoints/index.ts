/**
 * Signed checkpoints, and the files they are kept in.
 */
export { Checkpoints, type CosignedCheckpoint, cosigners } from './checkpoints.js';
export { CheckpointFiles } from './files.js';
export { type KeptCheckpoint, readKept } from './kept.js';

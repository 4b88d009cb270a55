/**
 * Hashes the log's entries again, in large pages: for packs, and before a checkpoint is signed. Used by writers only.
 */
export { CompactRange } from './compact-range.js';
export { appendPage } from './page-leaves.js';
export { type HashableLog, rehash } from './rehash.js';

/**
 * Leaves of the log read again in large pages, for packs and for what is about to be signed. The writer's side.
 */
export { CompactRange } from './compact-range.js';
export { appendPage } from './page-leaves.js';
export { type HashableLog, rehash } from './rehash.js';

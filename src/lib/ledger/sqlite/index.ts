/**
 * The log's engine: SQLite, in write-ahead mode, with group commit.
 */
export { openLedger } from './ledger.js';
export { parsed } from './read.js';

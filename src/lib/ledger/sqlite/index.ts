/**
 * The log's engine: SQLite, in write-ahead mode, with group commit.
 */
export { type Copied, copyDatabase } from './copy.js';
export { openLedger, SqliteLedger } from './ledger.js';
export { parsed } from './read.js';
export { replaceDatabase, requireUnused } from './replace.js';
export { StoredRows } from './stored-rows.js';

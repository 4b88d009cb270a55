/**
 * The log's engine: SQLite, in write-ahead mode, with group commit.
 */
export { openLedger, SqliteLedger } from './ledger.js';
export { parsed } from './read.js';
export { StoredRows } from './stored-rows.js';

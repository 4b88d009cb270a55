/**
 * Verifies a database in place, with code that shares nothing with what writes the log.
 */
export { type SizeWatch, type VerifyOptions, type VerifyReport, verifyDatabase } from './database.js';
export { canonical } from './entries.js';
export { unreadable } from './versions.js';

/**
 * Tables that are derived from the log: compared with it.
 */
export { checkDocuments } from './check-documents.js';
export { checkSummaries } from './check-summaries.js';

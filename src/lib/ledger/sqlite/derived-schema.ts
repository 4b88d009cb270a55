/**
 * How many rows the derived tables have, by kind: `documents`, and of the listing rows `TYPE STATE` (`canary PROMOTED`).
 * Counted by whoever writes the rows, in the same transaction, so that rows that somebody deleted or altered are noticed
 * without reading the log. Names without rows are left out, except `documents`.
 */
export const ROW_COUNTS_SCHEMA = `
  CREATE TABLE row_counts (name TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO row_counts VALUES ('documents', 0);
`;

/** Kinds of the entries with which a canary, a promotion or a job begins, as SQL. The index below has these alone. */
export const FIRST_KINDS = `('canary.requested', 'promotion.requested', 'job.queued')`;

/** The model that such an entry is about, as SQL; NULL for a body that is no JSON, and for jobs. */
export const MODEL_OF_BODY = `CASE WHEN json_valid(body) THEN json_extract(body, '$.data.modelId') END`;

/** Finds what has begun, of one model or of all, newest first, from the entries themselves. A query repeats both texts. */
export const FIRST_ENTRIES_INDEX = `
  CREATE INDEX events_first ON events (kind, ${MODEL_OF_BODY}) WHERE kind IN ${FIRST_KINDS};
`;

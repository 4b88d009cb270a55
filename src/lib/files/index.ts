/**
 * Whole files, written durably or not at all, and never over something that is not ours: `createFile` and `replaceFile` for
 * our own, `writeOutput` for those that somebody names; and reading no more than is sensible.
 */
export { MOST_SETTINGS, readLimited } from './limited-file.js';
export { type Output, type Replaceable, refuseToReplace, writeOutput } from './output-file.js';
export { partialFile, removeAbandoned } from './partial-file.js';
export { createFile, type FileKind, refuseOpenFolder, replaceFile, writableOf } from './whole-file.js';

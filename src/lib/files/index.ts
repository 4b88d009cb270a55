/**
 * Whole files, written durably or not at all, and never over something that is not ours.
 */
export { createFile, refuseOpenFolder, replaceFile, syncFolder } from './durable-file.js';
export { fileError, type Replaceable, refuseToReplace } from './output-file.js';
export { partialFile, removeAbandoned } from './partial-file.js';
export { writeOutput } from './write-output.js';

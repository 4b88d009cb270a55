/**
 * Documents made from the log and the documentation: found by words, fetched by id.
 */
export { Search } from './search.js';

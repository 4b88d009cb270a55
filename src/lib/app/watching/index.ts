/**
 * What views of canaries, jobs and gates are made from, read from the log.
 */
export { canaryEntries } from '../explanations.js';
export { readOverview } from './overview.js';

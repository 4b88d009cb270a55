/**
 * The report of a replay as one HTML page without scripts from elsewhere.
 */
export { DetailSeries } from './selection.js';

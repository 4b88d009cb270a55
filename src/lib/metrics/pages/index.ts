/**
 * Pages of metrics, from their addresses to samples: what comes over HTTP, in the text format of Prometheus, OpenMetrics or
 * Protocol Buffers. Whatever keeps a page from being read is a state; what is cut off is not read as far as it goes.
 */
export { explained } from './explain.js';
export { gaugeNotes } from './facts.js';
export { type FetchedPage, Pages } from './fetch.js';

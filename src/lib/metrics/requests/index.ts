/** Past requests (CSV or NDJSON, one request a line) as observations. */
export { LATENCY_UNITS, type LatencyUnit } from './columns.js';
export { type ObserveOptions, type ObserveSummary, observeRequests } from './observe.js';

/**
 * The Prometheus adapter, live and for ranges of the past.
 */
export { PrometheusApi } from './api.js';
export { queryEndpoint } from './config.js';
export type { ApiAnswer, ApiSeries } from './parse.js';
export type { PastAccount } from './past.js';
export type { PastSource } from './prometheus.js';

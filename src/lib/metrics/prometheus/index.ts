/**
 * The Prometheus adapter, live and for ranges of the past.
 */
export { type ApiAnswer, type ApiSeries, PrometheusApi } from './api.js';
export { queryEndpoint } from './config.js';
export type { PastAccount } from './past.js';
export type { PastSource } from './prometheus.js';

/**
 * The Prometheus adapter, live and for ranges of the past.
 */
export type { PastAccount } from './past.js';
export type { PastSource } from './prometheus.js';

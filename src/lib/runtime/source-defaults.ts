import { DEFAULT_METRICS, type PrometheusConfig } from '../metrics/source.js';

/** Longest wait for one answer of a source, milliseconds. */
export const SOURCE_TIMEOUT_MS = 4000;

/** What a Prometheus source has besides its address and queries when nothing else is configured. */
export const PROMETHEUS_DEFAULTS: Omit<PrometheusConfig, 'url' | 'queries'> = {
  labels: { gate: '$__gate' },
  metrics: DEFAULT_METRICS,
  timeoutMs: SOURCE_TIMEOUT_MS,
  staleSeconds: 60,
};

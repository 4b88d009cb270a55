import type { ArmsConfig, SignalsConfig } from './signals.js';

/** What is measured when no `signals` are configured. */
export const DEFAULT_SIGNALS: SignalsConfig = {
  preset: null,
  requests: 'model_requests_total',
  errors: { count: 'model_errors_total', absent: 'no_data' },
  histograms: { latency: { histogram: 'model_latency', unit: 's' } },
  drift: { histogram: 'model_score' },
  inflight: 'model_inflight_requests',
};

/** Pages of their own need no labels. */
export const ALL_SERIES: ArmsConfig = { canary: '{}', baseline: '{}' };

/** One Prometheus holds the series of both arms. */
export const BY_GATE: ArmsConfig = { canary: '{gate="$__gate"}', baseline: '{gate="$__gate"}' };

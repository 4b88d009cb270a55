/** The demo's policy as a user would write it (input of `parsePolicy`); times in seconds. */
export const DEMO_POLICY = {
  version: 1,
  name: 'demo',
  windowSeconds: 30,
  intervalSeconds: 1,
  targets: { latency_p95_ms: 250, max_error_rate: 0.02, max_drift: 0.15 },
  noDataSeconds: 10,
} as const;

import type { MetricSource } from './source.js';

/** The source of a canary for which none was configured: every look says so, and nothing is ever promoted on it. */
export function openNone(): MetricSource {
  return {
    descriptor: { kind: 'none' },
    pace: 'clock',
    check: async () => undefined,
    async read({ at }) {
      const missing = { state: 'no_source' as const, detail: 'no metrics source is configured' };
      const canary = { errors: missing, latency: missing, score: missing };
      return { observation: { v: 1, t: at, from: at, canary, baseline: { score: missing } }, cursor: null };
    },
    close: async () => undefined,
  };
}

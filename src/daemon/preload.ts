/**
 * Loads what the library otherwise loads when it is used. A daemon that has run out of file descriptors must still be able to call a
 * hook or run a job, and an import that failed once fails for ever. One after another, as each opens many files at once.
 */
export async function preload(): Promise<void> {
  for (const load of LAZY) await load();
}

/** Every `await import(...)` of the library and the daemon, but for those that a daemon never gets to; a test compares. */
const LAZY: readonly (() => Promise<unknown>)[] = [
  () => import('execa'),
  () => import('yaml'),
  () => import('node:timers/promises'),
  () => import('../lib/app/config-schema.js'),
  () => import('../lib/app/config-trust.js'),
  () => import('../lib/app/database/maintain-in-thread.js'),
  () => import('../lib/app/explanations.js'),
  () => import('../lib/app/probe.js'),
  () => import('../lib/app/start-canary.js'),
  () => import('../lib/app/verification.js'),
  () => import('../lib/app/verify-in-thread.js'),
  () => import('../lib/app/what-if-in-thread.js'),
  () => import('../lib/canary/advance.js'),
  () => import('../lib/canary/interim-verdict.js'),
  () => import('../lib/canary/shared-series.js'),
  () => import('../lib/evidence/checkpoints/files.js'),
  () => import('../lib/evidence/checkpoints/index.js'),
  () => import('../lib/evidence/checkpoints/kept.js'),
  () => import('../lib/evidence/publish/file.js'),
  () => import('../lib/evidence/publish/git.js'),
  () => import('../lib/evidence/publish/timestamp.js'),
  () => import('../lib/evidence/publish/webhook.js'),
  () => import('../lib/explain/render.js'),
  () => import('../lib/gates/promotion-drive.js'),
  () => import('../lib/input/text.js'),
  () => import('../lib/jobs/metrics-line.js'),
  () => import('../lib/judge/plan.js'),
  () => import('../lib/judge/policy-schema.js'),
  () => import('../lib/ledger/event-schemas.js'),
  () => import('../lib/ledger/verify/database.js'),
  () => import('../lib/metrics/former.js'),
  () => import('../lib/metrics/inspect/index.js'),
  () => import('../lib/metrics/none.js'),
  () => import('../lib/metrics/ndjson.js'),
  () => import('../lib/metrics/presets/variants.js'),
  () => import('../lib/metrics/prometheus/config.js'),
  () => import('../lib/metrics/prometheus/inspect.js'),
  () => import('../lib/metrics/prometheus/prometheus.js'),
  () => import('../lib/metrics/promql/promql.js'),
  () => import('../lib/metrics/scrape.js'),
  () => import('../lib/metrics/signals/index.js'),
  () => import('../lib/metrics/signals/parse.js'),
  () => import('../lib/search/fetch.js'),
  () => import('../lib/search/find.js'),
  () => import('../lib/search/indexer.js'),
  () => import('../lib/search/pages.js'),
];

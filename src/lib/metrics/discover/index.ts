/**
 * Finds in a metrics page or a Prometheus what a canary is judged by: requests, failures, latency, what tells versions apart.
 * `propose` is pure.
 */
export type { Facts } from './facts.js';
export { judgedSeries } from './judged.js';
export { pagesFacts } from './page.js';
export { hasPlaceholder, matchersText } from './picks.js';
export { type PrometheusInput, prometheusFacts, prometheusServices, scrapeSeconds } from './prometheus.js';
export { type Proposal, propose, type Wishes } from './propose.js';
export { type Service, servicesNamed } from './services.js';
export type { ProposedSignal } from './signal-notes.js';

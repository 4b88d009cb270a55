/**
 * Finds in a metrics page or a Prometheus what a canary is judged by: requests, failures, latency, what tells versions apart.
 * `propose` is pure.
 */
export type { Facts } from './facts.js';
export { pagesFacts } from './page.js';
export { matchersText } from './picks.js';
export { prometheusFacts } from './prometheus.js';
export { type Proposal, propose, type Wishes } from './propose.js';
export type { ProposedSignal } from './signal-notes.js';

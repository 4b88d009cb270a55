/**
 * Publishes checkpoints: to witnesses, files, git, webhooks and timestamp authorities.
 */
export { type Publication, type PublishResult, publish } from './publish.js';
export { addressProblem, evidenceSchema } from './schema.js';
export type { AnchorTarget } from './target.js';
export type { WitnessPeer } from './witness-client.js';

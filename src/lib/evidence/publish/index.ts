/**
 * Publishes checkpoints: to witnesses, files, git, webhooks and timestamp authorities.
 */
export { type Publication, type PublishResult, publish } from './publish.js';
export { evidenceSchema } from './schema.js';
export { ANCHOR_URL, type AnchorTarget, WITNESS_URL } from './target.js';
export type { WitnessPeer } from './witness-client.js';

/**
 * Self-check of the set-up: configuration, policy, source, clocks, programs, database, keys, daemon. Writes nothing.
 */
export type { Check } from './check.js';

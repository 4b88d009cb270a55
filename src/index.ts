/** The public library: judge, policies, observations, and the application as one piece. */

export type { App, Config, OpenOptions } from './lib/app/index.js';
export { loadConfig, openApp } from './lib/app/index.js';
export { ERRORS, type ErrorCode, EXIT, LukhasError } from './lib/errors.js';
export type { Observation, Policy, Verdict } from './lib/judge/index.js';
export { judge, parsePolicy, parsePolicyText, policyJsonSchema } from './lib/judge/index.js';
export { observationJsonSchema, parseObservation } from './lib/metrics/index.js';

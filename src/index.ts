/** The public library: judge, policies, observations, and the application as one piece. */

export { ERROR_CODES, type ErrorCode, EXIT, LukhasError } from './lib/errors.js';
export type { Observation } from './lib/judge/observation.js';
export type { Policy } from './lib/judge/policy.js';
export { parsePolicy, parsePolicyText, policyJsonSchema } from './lib/judge/policy-schema.js';
export { judge } from './lib/judge/report.js';
export type { Verdict } from './lib/judge/verdict.js';
export { observationJsonSchema, parseObservation } from './lib/metrics/observation-schema.js';
export type { App, OpenOptions } from './lib/runtime/app.js';
export { openApp } from './lib/runtime/app.js';
export type { Config } from './lib/runtime/config.js';
export { loadConfig } from './lib/runtime/config.js';

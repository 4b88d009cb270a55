/**
 * Checks of a running server from outside, over HTTP only.
 */
export type { CheckResult } from './smoke.js';

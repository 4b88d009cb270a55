/**
 * The demo's model service and its traffic. Knows nothing of the library but its errors.
 */
export { DEMO_POLICY } from './policies.js';
export type { Fault } from './service-options.js';
export { startWorkload, type Workload } from './workload.js';

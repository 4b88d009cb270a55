/** `lukhas init`: configuration and policy for a service, from what its metrics show. */
export { existingFiles, refuseExisting, writeAll } from './files.js';
export { type Init, initFrom } from './init.js';
export type { Origin } from './text.js';

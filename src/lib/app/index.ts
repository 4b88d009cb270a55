/**
 * Composition and use cases: opens the configured library (`openApp`) and holds what commands and daemon share.
 * The only reader of the environment and the working directory. The package's types are what this file's reach: none that
 * names a type of better-sqlite3, which brings none (`verify-in-thread.ts` is loaded where it is used).
 */
export { type App, type OpenOptions, openApp } from './app.js';
export { canaryJson, exitOf } from './canary-json.js';
export { authOf, type Config, environment, loadConfig } from './config.js';
export { lastOf } from './database-settings.js';
export { checkpointFolder, folderOf } from './evidence-places.js';
export { composePolicy, policyOfFile, readPolicy } from './policy-input.js';
export type { Selection } from './replay.js';
export { type ServeSettings, serveSettings } from './serve-settings.js';
export { initKeys, type KeyFile, missingKeys } from './signing-keys.js';
export { type Started, startCanary } from './start-canary.js';
export type { WhatIf, WhatIfRequest } from './what-if.js';

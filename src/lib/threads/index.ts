/**
 * Work in threads of its own: how one is started, from the bundle or from source, and how its results and errors come back.
 */
export { answerInThread } from './answer.js';
export { inThread } from './in-thread.js';
export { Shared } from './shared.js';
export { startThread } from './start.js';

/**
 * `lukhas serve`: drives what nobody watches in a terminal, and puts the library behind HTTP.
 */
export { type Daemon, startDaemon } from './daemon.js';
export { startWitness } from './witness.js';

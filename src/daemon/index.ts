/**
 * `lukhas serve`: drives canaries, jobs and promotions in the background, and offers the library over HTTP and MCP.
 */
export { type Daemon, startDaemon } from './daemon.js';
export { startWitness } from './witness.js';

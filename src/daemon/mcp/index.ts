/**
 * The Model Context Protocol over HTTP and stdio.
 */
export { createMcpEndpoint } from './endpoint.js';
export { createLukhasServer } from './server.js';
export { serveStdio } from './stdio.js';
export { ResourceUpdates } from './updates.js';

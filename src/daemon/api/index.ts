/**
 * What the cockpit page and `lukhas watch --url` ask beside the event stream. See docs/api.md.
 */
export { viewRoutes } from './views.js';

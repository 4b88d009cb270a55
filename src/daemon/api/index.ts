/**
 * What the cockpit asks beside the event stream. See docs/api.md.
 */
export { actionRoutes } from './actions.js';
export { sessionRoutes } from './session.js';
export { viewRoutes } from './views.js';

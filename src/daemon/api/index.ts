/**
 * What the cockpit asks beside the event stream. See docs/api.md.
 */
export { actionRoutes } from './actions.js';
export { choiceRoutes } from './choices.js';
export { logRoutes } from './log.js';
export { sessionRoutes } from './session.js';
export { startRoutes } from './starting.js';
export { viewRoutes } from './views.js';

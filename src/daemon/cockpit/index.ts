/**
 * The page that shows what the daemon does. See docs/cockpit.md.
 */
export { cockpitRoutes } from './page.js';

/**
 * The event stream: follows the log and fans it out to clients.
 */
export { SseHub } from './hub.js';

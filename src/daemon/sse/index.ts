/**
 * The event stream: follows the log and sends its events to all clients.
 */
export { SseHub } from './hub.js';

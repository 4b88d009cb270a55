/**
 * The event stream: follows the log and sends its events to all clients.
 */
export { SSE_LIMITS, SseHub } from './hub.js';

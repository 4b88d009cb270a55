/**
 * What happens, as events for whoever follows it (the event stream of the daemon), made from the log.
 */
export { type StreamEvent, streamEvent, subjectOf } from './event.js';
export { EventText } from './event-text.js';
export { beginningOf, endOf, newestItems } from './history.js';
export { Judging } from './judging.js';
export { type Observed, observedBy } from './observed.js';
export { type EventId, eventId, isOfLog, parseEventId, reaches } from './position.js';
export { type FeedSource, Teller } from './teller.js';

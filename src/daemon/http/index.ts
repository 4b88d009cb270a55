/**
 * The HTTP server: checks who may call, how often and how much, then calls the route.
 */
export { asHttpError, sendError, sendJson } from './answer.js';
export { ApiKeys, addressOf } from './keys.js';
export { readQuery } from './query.js';
export { RateLimiter } from './rate-limit.js';
export { HttpError, type RequestContext, type Route } from './route.js';
export { type Answered, type HttpServer, startHttpServer } from './server.js';
export { Sessions } from './sessions.js';

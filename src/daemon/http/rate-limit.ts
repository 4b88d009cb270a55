import type { Clock } from '../../lib/clock.js';
import { HttpError } from './route.js';

/** How many requests a client may send at once, and in what time it may send as many again. */
export interface RateLimit {
  bucket: number;
  windowMs: number;
}

/** Clients that are remembered: without keys anyone on the machine can have an address of its own for each request. */
const MOST_CLIENTS = 10_000;
/** Of a request: what rounding takes away must not cost one. */
const ROUNDING = 1e-6;

/** Requests that are left, and when they were counted, ms. */
interface Bucket {
  left: number;
  at: number;
}

/**
 * A token bucket for each client: `bucket` requests at once, then one each `windowMs / bucket`. A bucket that is full again
 * is forgotten, as it says nothing; nothing has to be done while no request comes.
 */
export class RateLimiter {
  readonly #limit: RateLimit;
  readonly #clock: Pick<Clock, 'now'>;
  /** In the order of the clients' last requests. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(limit: RateLimit, clock: Pick<Clock, 'now'>) {
    this.#limit = limit;
    this.#clock = clock;
  }

  /** How many clients are remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Lets one request of a client in. @throws HttpError 429 that says when the next one will be */
  admit(client: string): void {
    const now = this.#clock.now();
    const left = this.#left(this.#buckets.get(client), now);
    if (left < 1 - ROUNDING) throw this.#refusal(left);
    this.charge(client, 1);
  }

  /** Counts requests of a client that are let in already, also more than it has left: the next one waits the longer. */
  charge(client: string, requests: number): void {
    const now = this.#clock.now();
    this.#forget(now);
    const left = this.#left(this.#buckets.get(client), now) - requests;
    // Anew, so that it is the last one in the order.
    this.#buckets.delete(client);
    this.#buckets.set(client, { left, at: now });
  }

  #refusal(left: number): HttpError {
    const { bucket, windowMs } = this.#limit;
    const seconds = Math.max(1, Math.ceil(((1 - left) * windowMs) / bucket / 1000 - ROUNDING));
    const message = `too many requests: ${bucket} are let in within ${windowMs} ms; ask again in ${seconds} s`;
    return new HttpError(429, message, { 'Retry-After': String(seconds) });
  }

  #left(bucket: Bucket | undefined, now: number): number {
    if (bucket === undefined) return this.#limit.bucket;
    const back = ((now - bucket.at) * this.#limit.bucket) / this.#limit.windowMs;
    return Math.min(this.#limit.bucket, bucket.left + back);
  }

  /** From the client not heard of for longest on, as far as buckets are full, and one more when there are too many. */
  #forget(now: number): void {
    for (const [client, bucket] of this.#buckets) {
      const isFull = this.#left(bucket, now) >= this.#limit.bucket - ROUNDING;
      if (!isFull && this.#buckets.size < MOST_CLIENTS) return;
      this.#buckets.delete(client);
    }
  }
}

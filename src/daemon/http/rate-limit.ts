import type { Clock } from '../../lib/clock.js';
import { HttpError } from './route.js';

/** How many requests a client may send at once, and the time in which it gets as many back. */
export interface RateLimit {
  bucket: number;
  windowMs: number;
}

/** How many clients are remembered: without keys, a local client can use a new loopback address for each request. */
const MOST_CLIENTS = 10_000;
/** Tolerance, in requests, so that rounding does not cost one. */
const ROUNDING = 1e-6;

/** Requests left, and when they were counted, ms. */
interface Bucket {
  left: number;
  at: number;
}

/**
 * A token bucket for each client: `bucket` requests at once, then one each `windowMs / bucket`. Full buckets are forgotten.
 * Needs no timer.
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

  /** Number of clients that are remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Counts one request of a client. @throws HttpError 429 that says when to try again */
  admit(client: string): void {
    const now = this.#clock.now();
    const left = this.#left(this.#buckets.get(client), now);
    if (left < 1 - ROUNDING) throw this.#refusal(left);
    this.charge(client, 1);
  }

  /** Counts requests that were accepted already, even more than are left: the client then has to wait longer. */
  charge(client: string, requests: number): void {
    const now = this.#clock.now();
    this.#forget(now);
    const left = this.#left(this.#buckets.get(client), now) - requests;
    // Deleted first, so that it moves to the end of the order.
    this.#buckets.delete(client);
    this.#buckets.set(client, { left, at: now });
  }

  #refusal(left: number): HttpError {
    const { bucket, windowMs } = this.#limit;
    const seconds = Math.max(1, Math.ceil(((1 - left) * windowMs) / bucket / 1000 - ROUNDING));
    const message = `too many requests: the limit is ${bucket} in ${windowMs} ms; try again in ${seconds} s`;
    return new HttpError(429, message, { 'Retry-After': String(seconds) });
  }

  #left(bucket: Bucket | undefined, now: number): number {
    if (bucket === undefined) return this.#limit.bucket;
    const back = ((now - bucket.at) * this.#limit.bucket) / this.#limit.windowMs;
    return Math.min(this.#limit.bucket, bucket.left + back);
  }

  /** Drops full buckets, oldest first, and the oldest one in any case when there are too many. */
  #forget(now: number): void {
    for (const [client, bucket] of this.#buckets) {
      const isFull = this.#left(bucket, now) >= this.#limit.bucket - ROUNDING;
      if (!isFull && this.#buckets.size < MOST_CLIENTS) return;
      this.#buckets.delete(client);
    }
  }
}

import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../lib/clock.js';
import { HttpError } from '../http/index.js';

/** How long an answer is kept for whoever asks again: longer than a browser or a proxy tries. */
const KEPT_MS = 10 * 60_000;
const MOST_KEPT = 1000;
const LONGEST_KEY = 200;

interface Kept<T> {
  request: string;
  until: number;
  answer: Promise<T>;
}

/**
 * Does once what is asked several times under one `Idempotency-Key`, as by a double click or a retry after a lost answer. What
 * failed may be tried again. Kept in memory: after a restart of the daemon a key is new.
 */
export class Once<T> {
  readonly #kept = new Map<string, Kept<T>>();

  constructor(private readonly clock: Pick<Clock, 'monotonic'>) {}

  /**
   * @param who the caller: keys of others are not theirs
   * @param asked what is asked for; the same key may not ask for something else
   * @throws HttpError 400, 409; what `act` throws
   */
  async run({ headers }: IncomingMessage, who: string, asked: unknown, act: () => Promise<T>): Promise<T> {
    const key = headers['idempotency-key'];
    if (key === undefined) return act();
    if (typeof key !== 'string' || key === '' || key.length > LONGEST_KEY)
      throw new HttpError(400, `Idempotency-Key: must have 1 to ${LONGEST_KEY} characters`);
    this.#forget();
    const name = JSON.stringify([who, key]);
    const request = JSON.stringify(asked);
    const known = this.#kept.get(name);
    if (known !== undefined) {
      if (known.request === request) return known.answer;
      throw new HttpError(409, 'Idempotency-Key: was used for another request');
    }
    const answer = act();
    this.#kept.set(name, { request, until: this.clock.monotonic() + KEPT_MS, answer });
    answer.catch(() => this.#kept.delete(name));
    return answer;
  }

  /** The oldest come first. */
  #forget(): void {
    const now = this.clock.monotonic();
    for (const [name, { until }] of this.#kept) {
      if (until > now && this.#kept.size < MOST_KEPT) return;
      this.#kept.delete(name);
    }
  }
}

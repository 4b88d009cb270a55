import { HttpError } from './route.js';

/** Most requests in progress, of one client and of all, and most bytes of large bodies. */
export interface LoadLimits {
  client: number;
  all: number;
  bodyBytes: number;
}

const LIMITS: LoadLimits = { client: 500, all: 2_000, bodyBytes: 16 * 1024 * 1024 };
const RETRY = { 'Retry-After': '1' };

/** Bodies up to this many bytes are not counted: requests in progress are. */
export const SMALL_BODY = 64 * 1024;

/** What is in progress: requests, each client's and all, and the bytes of their bodies. */
export class Load {
  readonly #limits: LoadLimits;
  readonly #clients = new Map<string, number>();
  #all = 0;
  #bodyBytes = 0;

  constructor(limits: Partial<LoadLimits> = {}) {
    this.#limits = { ...LIMITS, ...limits };
  }

  /** Requests in progress. */
  get requests(): number {
    return this.#all;
  }

  /** @throws HttpError 429 when this client has too many, 503 when all clients together have */
  begin(client: string, requests: number): void {
    const { client: most, all } = this.#limits;
    const own = (this.#clients.get(client) ?? 0) + requests;
    if (own > most)
      throw new HttpError(
        429,
        `too many requests in progress: the limit for a client is ${most}; try again later`,
        RETRY,
      );
    if (this.#all + requests > all)
      throw new HttpError(503, `too many requests in progress: the limit is ${all}; try again later`, RETRY);
    this.#clients.set(client, own);
    this.#all += requests;
  }

  end(client: string, requests: number): void {
    const left = (this.#clients.get(client) ?? 0) - requests;
    if (left > 0) this.#clients.set(client, left);
    else this.#clients.delete(client);
    this.#all -= requests;
  }

  /** @throws HttpError 503 when large bodies take too much memory already */
  keep(bytes: number): void {
    if (this.#bodyBytes + bytes > this.#limits.bodyBytes)
      throw new HttpError(503, 'too many large requests at once; try again later', RETRY);
    this.#bodyBytes += bytes;
  }

  release(bytes: number): void {
    this.#bodyBytes -= bytes;
  }
}

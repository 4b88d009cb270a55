import type { Observation } from '../judge/index.js';

/** Requests that the canary served between two moments, and how many of them failed. */
export interface ServedCounts {
  requests: number | null;
  badRequests: number | null;
}

/** Adds them up over the observations after `since`; what is not wholly covered by counts is not known. */
export class Served {
  #mark: number;
  #requests = 0;
  #bad = 0;
  #known = true;
  #badKnown = true;

  /** @param since ms since the epoch */
  constructor(since: number) {
    this.#mark = since;
  }

  add({ t, from, canary }: Observation): void {
    const { errors, latency } = canary;
    if (errors?.state === 'ok') {
      this.#requests += errors.total;
      this.#bad += Math.min(errors.bad, errors.total);
    } else if (latency?.state === 'ok') {
      for (const count of latency.counts) this.#requests += count;
      this.#badKnown = false;
    } else return;
    // Counts of a longer or a later span than the one asked for are not those asked for.
    if (from !== this.#mark) this.#known = false;
    this.#mark = t;
  }

  /** @param until ms since the epoch */
  counts(until: number): ServedCounts {
    const known = this.#known && this.#mark === until;
    return {
      requests: known ? this.#requests : null,
      badRequests: known && this.#badKnown ? this.#bad : null,
    };
  }
}

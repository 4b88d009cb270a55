import type { WhatIf, WhatIfRequest } from '../lib/app/index.js';
import { LukhasError } from '../lib/errors.js';
import { OneAtATime } from './one-at-a-time.js';

/** Clients give up on a call after 60 s. */
const LONGEST_MS = 50_000;

/** Canaries judged again under other policies: one at a time, each in a thread of its own, and none for long. */
export class WhatIfs {
  readonly #turns = new OneAtATime();

  /**
   * @param path the database
   * @param closing aborted when the daemon stops
   * @param longestMs of waiting for others and judging together
   */
  constructor(
    private readonly path: string,
    private readonly closing: AbortSignal,
    private readonly longestMs = LONGEST_MS,
  ) {}

  /**
   * @param gone aborted when the caller has gone
   * @throws LukhasError STOPPED when it took too long, the caller has gone or the daemon stops; as `whatIf`
   */
  async ask(request: WhatIfRequest, gone?: AbortSignal): Promise<WhatIf> {
    const tooLong = AbortSignal.timeout(this.longestMs);
    const stop = AbortSignal.any([this.closing, tooLong, ...(gone === undefined ? [] : [gone])]);
    const { whatIfInThread } = await import('../lib/app/what-if-in-thread.js');
    const task = { path: this.path, request };
    try {
      return await this.#turns.run(() => whatIfInThread(task, stop), stop);
    } catch (error) {
      if (!stop.aborted) throw error;
      if (!tooLong.aborted)
        throw new LukhasError('STOPPED', 'The replay was stopped before its end; it changes nothing.');
      throw new LukhasError('STOPPED', `The replay was stopped: it took longer than ${this.longestMs / 1000} s.`, {
        suggestions: ['Try fewer values in sweep, or none.'],
      });
    }
  }
}

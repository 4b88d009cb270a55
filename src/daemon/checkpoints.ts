import { hasLogKey, openCheckpoints, publishCheckpoint } from '../lib/app/evidence/index.js';
import type { App } from '../lib/app/index.js';
import type { PublishResult } from '../lib/evidence/publish/index.js';

/** Time limit for publishing the last checkpoint, while the user waits for the daemon to stop. */
const LAST_MS = 8_000;

/** Makes the daemon's checkpoints, when there is a log key, and publishes them to witnesses and anchors. */
export class CheckpointDriver {
  /** Size of the last checkpoint that was published everywhere. */
  #published: number | null = null;
  /** Since when not every witness and anchor has the newest checkpoint, ms since the epoch; null: they have it, or there is none. */
  behindSince: number | null = null;

  /** @param onError gets the failures of single targets; a failure of all is thrown */
  constructor(
    private readonly app: App,
    private readonly onError: (error: unknown, what: string) => void,
  ) {}

  /** Makes one now, unless nothing was appended since the last one was published. @throws LukhasError VERIFICATION, CONFIG, LEDGER_* */
  async make(signal: AbortSignal): Promise<void> {
    const failed = await this.#make(signal);
    // When stopping, `last` tries again.
    if (!signal.aborted) this.#report(failed);
  }

  /** The last checkpoint, when the daemon stops. */
  async last(): Promise<void> {
    try {
      this.#report(await this.#make(AbortSignal.timeout(LAST_MS)));
    } catch (error) {
      this.onError(error, 'checkpoints');
    }
  }

  async #make(signal: AbortSignal): Promise<PublishResult[]> {
    const { config, clock } = this.app;
    if (!(await hasLogKey(config))) return [];
    const { witnesses, anchors } = config.evidence;
    // First, so that one that cannot be signed, or never comes to its end, is behind too.
    if (witnesses.length + anchors.length > 0) this.behindSince ??= clock.now();
    const checkpoints = await openCheckpoints(this.app);
    const made = await checkpoints.make();
    if (made.size === this.#published) {
      this.behindSince = null;
      return [];
    }
    const { results } = await publishCheckpoint(this.app, checkpoints, made, { signal });
    const failed = results.filter(({ error }) => error !== null);
    this.#published = failed.length === 0 ? made.size : null;
    if (failed.length === 0) this.behindSince = null;
    return failed;
  }

  #report(failed: readonly PublishResult[]): void {
    for (const { error, kind } of failed) this.onError(error, kind);
  }
}

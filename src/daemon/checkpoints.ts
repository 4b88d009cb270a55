import { hasLogKey, openCheckpoints, publishCheckpoint } from '../lib/app/evidence/index.js';
import type { App } from '../lib/app/index.js';
import type { PublishResult } from '../lib/evidence/publish/index.js';

/** Whoever is told at the end must answer soon: somebody waits for the daemon to stop. */
const LAST_MS = 8_000;

/** Makes the checkpoints of the daemon, when there is a log key, and tells witnesses and anchors. */
export class CheckpointDriver {
  /** Size of the last one that everybody was told. */
  #told: number | null = null;

  /** @param onError gets what failed for one of them; what fails for all is thrown */
  constructor(
    private readonly app: App,
    private readonly onError: (error: unknown, what: string) => void,
  ) {}

  /** One now, unless nothing was appended since everybody was told. @throws LukhasError VERIFICATION, CONFIG, LEDGER_* */
  async make(signal: AbortSignal): Promise<void> {
    const failed = await this.#make(signal);
    // The last one, at the end, tries again.
    if (!signal.aborted) this.#complain(failed);
  }

  /** The last one, when the daemon stops. */
  async last(): Promise<void> {
    try {
      this.#complain(await this.#make(AbortSignal.timeout(LAST_MS)));
    } catch (error) {
      this.onError(error, 'checkpoints');
    }
  }

  async #make(signal: AbortSignal): Promise<PublishResult[]> {
    if (!(await hasLogKey(this.app.config))) return [];
    const checkpoints = await openCheckpoints(this.app);
    const made = await checkpoints.make();
    if (made.size === this.#told) return [];
    const { told } = await publishCheckpoint(this.app, checkpoints, made, { signal });
    const failed = told.filter(({ error }) => error !== null);
    this.#told = failed.length === 0 ? made.size : null;
    return failed;
  }

  #complain(failed: readonly PublishResult[]): void {
    for (const { error, kind } of failed) this.onError(error, kind);
  }
}

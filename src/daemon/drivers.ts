import type { App } from '../lib/app/index.js';
import type { Tick } from '../lib/canary/index.js';
import { CheckpointDriver } from './checkpoints.js';
import { Loops } from './loops.js';
import type { Check } from './readiness.js';

interface DriversOptions {
  app: App;
  onTick(tick: Tick): void;
  /** Trouble that may pass; what was to be done is tried again. */
  onError(error: unknown, what: string): void;
}

/** How often the index of the search is brought up to date when nobody asks it; each question does so too. */
const INDEX_MS = 5_000;
/** How often promotions are looked for whose process has died. */
const PROMOTIONS_MS = 30_000;
const CHECKPOINT_MS = 3_600_000;
/** How often a daemon that has nothing to record makes sure that it could. */
const DATABASE_MS = 5_000;
/** Nobody has it: giving it back is a transaction that writes nothing, and meets whatever stands in the way of one. */
const NO_LEASE = 'probe:database';

/** What goes on in the daemon whether somebody asks or not: canaries, jobs, promotions, the index of the search, checkpoints. */
export class Drivers {
  readonly #options: DriversOptions;
  readonly #loops = new Loops();
  readonly #runner: ReturnType<App['runner']>;
  readonly #jobs: ReturnType<App['jobRunner']>;
  readonly #checkpoints: CheckpointDriver;

  constructor(options: DriversOptions) {
    this.#options = options;
    const { app, onTick, onError } = options;
    this.#runner = app.runner({ onTick, onError: (id, error) => onError(error, id) });
    this.#jobs = app.jobRunner({ onError: (id, error) => onError(error, id ?? 'jobs') });
    this.#checkpoints = new CheckpointDriver(app, onError);
  }

  /** Resolves with what ended one of them that nobody has stopped. */
  get failed(): Promise<Error> {
    return this.#loops.failed;
  }

  start(): void {
    const { app, onError } = this.#options;
    app.promotions.onError = (id, error) => onError(error, id);
    this.#loops.run('canaries', (signal) => this.#runner.driveAll(signal));
    this.#loops.run('jobs', (signal) => this.#jobs.driveAll(signal));
    this.#loops.run('promotions', (signal) =>
      this.#repeat('promotions', PROMOTIONS_MS, signal, () => app.promotions.driveOpen(signal)),
    );
    this.#loops.run('search', (signal) => this.#repeat('search', INDEX_MS, signal, () => app.search.catchUp(signal)));
    this.#loops.run('database', (signal) =>
      this.#repeat('database', DATABASE_MS, signal, () => app.ledger.releaseLease(NO_LEASE, NO_LEASE)),
    );
    this.#loops.run('checkpoints', (signal) =>
      this.#repeat('checkpoints', CHECKPOINT_MS, signal, () => this.#checkpoints.make(signal)),
    );
  }

  /** This process has requested a canary, or changed one. */
  noticeCanary(): void {
    this.#runner.notice();
  }

  check(): Check {
    const dead = this.#loops.dead();
    return dead.length === 0 ? { ok: true, detail: 'alive' } : { ok: false, detail: dead.join('; ') };
  }

  /** Resolves when the looks and hooks under way are done; what is open stays so in the log. */
  async stop(): Promise<void> {
    await this.#loops.stop();
    await this.#runner.close();
  }

  /** Signs what the daemon leaves behind: when all that writes has ended. */
  async close(): Promise<void> {
    await this.#checkpoints.last();
  }

  async #repeat(what: string, everyMs: number, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      try {
        await work();
      } catch (error) {
        if (!signal.aborted) this.#options.onError(error, what);
      }
      // Ends with the signal's reason, which the loop then does not count as a failure.
      await this.#options.app.clock.sleep(everyMs, signal);
    }
  }
}

import type { App } from '../lib/app/index.js';
import type { Tick } from '../lib/canary/index.js';
import { CheckpointDriver } from './checkpoints.js';
import { Loops } from './loops.js';
import { MaintenanceDriver } from './maintenance.js';
import type { Check } from './readiness.js';

interface DriversOptions {
  app: App;
  onTick(tick: Tick): void;
  /** A failure that may be temporary; the step is tried again. */
  onError(error: unknown, what: string): void;
}

/** How often the search index is updated while nobody searches; each search updates it too. */
const INDEX_MS = 5_000;
/** How often to look for promotions whose process has died. */
const PROMOTIONS_MS = 30_000;
const CHECKPOINT_MS = 3_600_000;
/** How often to ask whether the database is due for maintenance. */
const MAINTENANCE_MS = 60_000;
/** How often an idle daemon checks that it could write. */
const DATABASE_MS = 5_000;
/** A lease nobody holds: releasing it is a transaction that changes nothing, but fails like any other write would. */
const NO_LEASE = 'probe:database';

/** The daemon's background work: canaries, jobs, promotions, the search index, checkpoints, maintenance. */
export class Drivers {
  readonly #options: DriversOptions;
  readonly #loops = new Loops();
  readonly #runner: ReturnType<App['runner']>;
  readonly #jobs: ReturnType<App['jobRunner']>;
  readonly #checkpoints: CheckpointDriver;
  readonly #maintenance: MaintenanceDriver;

  constructor(options: DriversOptions) {
    this.#options = options;
    const { app, onTick, onError } = options;
    this.#runner = app.runner({ onTick, onError: (id, error) => onError(error, id) });
    this.#jobs = app.jobRunner({ onError: (id, error) => onError(error, id ?? 'jobs') });
    this.#checkpoints = new CheckpointDriver(app, onError);
    this.#maintenance = new MaintenanceDriver(app);
  }

  /** Resolves with the error of the first one that ends without being stopped. */
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
    this.#loops.run('maintenance', (signal) =>
      this.#repeat('maintenance', MAINTENANCE_MS, signal, () => this.#maintenance.run(signal)),
    );
  }

  /** This process has requested a canary, or changed one. */
  noticeCanary(): void {
    this.#runner.notice();
  }

  /** See `CheckpointDriver`. */
  get witnessBehindSince(): number | null {
    return this.#checkpoints.behindSince;
  }

  check(): Check {
    const dead = this.#loops.dead();
    return dead.length === 0 ? { ok: true, detail: 'alive' } : { ok: false, detail: dead.join('; ') };
  }

  /** Resolves when running checks and hooks are done; open canaries stay open in the log. */
  async stop(): Promise<void> {
    await this.#loops.stop();
    await this.#runner.close();
  }

  /** Signs the log a last time; call when nothing writes any more. */
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
      // Rejects with the signal's reason, which the loop does not count as a failure.
      await this.#options.app.clock.sleep(everyMs, signal);
    }
  }
}

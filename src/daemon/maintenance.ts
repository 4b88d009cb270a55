import { type App, lastOf } from '../lib/app/index.js';
import { LukhasError } from '../lib/errors.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A daemon that never runs at that hour makes up for it, once it has run for a while. */
const OVERDUE_MS = 36 * HOUR_MS;
const SETTLED_MS = 10 * 60_000;
/** After a failure, until it is tried again. */
const AGAIN_MS = HOUR_MS;

/**
 * Maintains the database once a night, in a thread of its own. Of several daemons one does it: the others find its entry in the
 * log, or that it has the lease.
 */
export class MaintenanceDriver {
  readonly #app: App;
  /** By the wall clock and by the monotonic one, ms. */
  readonly #began: { wall: number; monotonic: number };
  /** By the monotonic clock. */
  #notBefore = 0;

  constructor(app: App) {
    this.#app = app;
    this.#began = { wall: app.clock.now(), monotonic: app.clock.monotonic() };
  }

  /** Does it when it is due. @throws LukhasError LEDGER_*; the signal's reason */
  async run(signal: AbortSignal): Promise<void> {
    const { config, clock } = this.#app;
    const { maintenance, retention } = config.database;
    if (!maintenance.enabled || clock.monotonic() < this.#notBefore || !(await this.#isDue(maintenance.hour))) return;
    const { maintainInThread } = await import('../lib/app/database/maintain-in-thread.js');
    try {
      await maintainInThread({ path: config.dbPath, by: { who: 'lukhas', how: 'lukhas' }, retention }, signal);
    } catch (error) {
      this.#notBefore = clock.monotonic() + AGAIN_MS;
      // Another process is doing it.
      if (!(error instanceof LukhasError && error.code === 'LEDGER_BUSY')) throw error;
    }
  }

  async #isDue(hour: number): Promise<boolean> {
    const { ledger, clock } = this.#app;
    const now = clock.now();
    const scheduled = lastTimeAt(hour, now);
    const [first] = await ledger.events({ limit: 1 });
    const last = (await lastOf(ledger, 'maintenance.finished')) ?? first;
    if (last === undefined) return false;
    const done = Date.parse(last.ts);
    if (done >= scheduled) return false;
    const running = clock.monotonic() - this.#began.monotonic;
    return scheduled > this.#began.wall || (running > SETTLED_MS && now - done > OVERDUE_MS);
  }
}

/** The newest time not after `now` at which it was that hour (UTC). */
export function lastTimeAt(hour: number, now: number): number {
  const today = Math.floor(now / DAY_MS) * DAY_MS + hour * HOUR_MS;
  return today <= now ? today : today - DAY_MS;
}

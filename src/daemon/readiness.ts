import type { Clock } from '../lib/clock.js';
import type { Ledger } from '../lib/ledger/index.js';
import { newHolder } from '../lib/ledger/index.js';

export interface Check {
  ok: boolean;
  /** One line for a person. */
  detail: string;
}

export interface Readings {
  ready: boolean;
  checks: { database: Check; runner: Check; source: Check };
}

interface ReadinessOptions {
  ledger: Ledger;
  clock: Clock;
  runner(): Check;
  source(): Promise<Check>;
}

/** Probes come often and from several places: each answer is reused for this long. */
const FRESH_MS = 2_000;
/** A lease used only here: acquiring it is a real write to the database that does not change the log. */
const PROBE_LEASE = 'probe:ready';
/** A write that takes longer counts as failed: callers of the daemon would have to wait as long. */
const WRITE_MS = 2_000;

/** Whether the daemon can do its work: write to the database, drive canaries, measure. */
export class Readiness {
  readonly #options: ReadinessOptions;
  readonly #holder = newHolder();
  #latest: Promise<Readings> | null = null;
  #at = 0;

  constructor(options: ReadinessOptions) {
    this.#options = options;
  }

  /** At most two seconds old. */
  check(): Promise<Readings> {
    const now = this.#options.clock.now();
    if (this.#latest === null || now - this.#at >= FRESH_MS) {
      this.#at = now;
      this.#latest = this.#probe();
    }
    return this.#latest;
  }

  async #probe(): Promise<Readings> {
    const [database, source] = await Promise.all([
      this.#database(),
      this.#options.source().catch((error: unknown) => ({ ok: false, detail: messageOf(error) })),
    ]);
    const checks = { database, runner: this.#options.runner(), source };
    return { ready: Object.values(checks).every(({ ok }) => ok), checks };
  }

  async #database(): Promise<Check> {
    const { ledger, clock } = this.#options;
    const late = new AbortController();
    const tooLate = clock.sleep(WRITE_MS, late.signal).then(() => ({
      ok: false,
      detail: `a write took longer than ${WRITE_MS / 1000} s`,
    }));
    const written = ledger
      .acquireLease(PROBE_LEASE, this.#holder, clock.now(), 0)
      .then(() => ({ ok: true, detail: 'accepts writes' }))
      .catch((error: unknown) => ({ ok: false, detail: messageOf(error) }))
      .finally(() => late.abort());
    tooLate.catch(() => undefined);
    return Promise.race([written, tooLate]);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

import type { Clock } from '../lib/clock.js';
import type { Ledger } from '../lib/ledger/index.js';
import { newHolder } from '../lib/ledger/index.js';

export interface Check {
  ok: boolean;
  /** In words, for a person. */
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

/** Probes come often and from several places; each answer serves them so long. */
const FRESH_MS = 2_000;
/** A lease that nobody waits for: writing it is a real write of the database that leaves the log as it is. */
const PROBE_LEASE = 'probe:ready';
/** A write that takes longer is no answer: those who wait for the daemon would wait as long. */
const WRITE_MS = 2_000;

/** Whether the daemon can do its work: write, drive, measure. */
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
      this.#latest = this.#look();
    }
    return this.#latest;
  }

  async #look(): Promise<Readings> {
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
      detail: `a write takes longer than ${WRITE_MS / 1000} s`,
    }));
    const written = ledger
      .acquireLease(PROBE_LEASE, this.#holder, clock.now(), 0)
      .then(() => ({ ok: true, detail: 'takes writes' }))
      .catch((error: unknown) => ({ ok: false, detail: messageOf(error) }))
      .finally(() => late.abort());
    tooLate.catch(() => undefined);
    return Promise.race([written, tooLate]);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

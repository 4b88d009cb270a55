import type { Clock } from '../clock.js';
import { isConflict, LukhasError } from '../errors.js';
import { keepLease, type Ledger } from '../ledger/index.js';

/** The lease of a gate, as long as one canary or promotion acts on it: what it does may be made to demand it. */
export interface GateLease {
  lease: string;
  holder: string;
}

interface TenureOptions {
  ledger: Ledger;
  clock: Clock;
  /** Of the gate, and of the canary or promotion; none: nothing is demanded. */
  leases: readonly GateLease[];
  /** How long the calls take at most, ms: after that a lease lasts for another `SLACK_MS`. */
  longestMs: number;
  /** Stops the call. */
  signal?: AbortSignal | undefined;
}

/** For what is done before, between and after the calls. */
export const SLACK_MS = 60_000;
/** Renewed often only to learn of a loss soon. */
const RENEW_MS = 2000;

/** Holders for which this process calls a hook now. */
const calling = new Set<string>();

export function isCalling(holder: string): boolean {
  return calling.has(holder);
}

/**
 * The leases under which one hook is called. A process that was stopped meanwhile (SIGSTOP, a paused container) for so long
 * that another may have taken them begins no call, goes on with none after a wait, and stops the one that runs.
 */
export class Tenure {
  /** Aborts when a lease is lost, with LEDGER_CONFLICT, and when the signal that was given does. */
  readonly signal: AbortSignal;
  private readonly lost = new AbortController();
  private began = 0;
  private timer: NodeJS.Timeout | undefined;

  private constructor(private readonly options: TenureOptions) {
    const { signal } = options;
    this.signal = signal === undefined ? this.lost.signal : AbortSignal.any([signal, this.lost.signal]);
  }

  /** @throws LukhasError LEDGER_CONFLICT when another has taken one of the leases */
  static async begin(options: TenureOptions): Promise<Tenure> {
    const tenure = new Tenure(options);
    await tenure.renew();
    return tenure;
  }

  /**
   * Right before the call; `end` has to follow.
   * @throws LukhasError LEDGER_CONFLICT when so much time has passed that the leases might lapse while it lasts
   */
  call(): void {
    this.demand(SLACK_MS);
    const { leases } = this.options;
    if (leases.length === 0) return;
    for (const { holder } of leases) calling.add(holder);
    // What cannot be renewed now (a busy database) is tried again; who cannot write cannot take it either.
    const stop = (error: unknown) => isConflict(error) && this.lost.abort(error);
    this.timer = setInterval(() => void this.renew().catch(stop), RENEW_MS);
  }

  end(): void {
    clearInterval(this.timer);
    for (const { holder } of this.options.leases) calling.delete(holder);
  }

  /** For what waits between two tries: after a wait it demands the leases. */
  get clock(): Clock {
    const { clock, longestMs } = this.options;
    return {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      sleep: async (ms, signal) => {
        await clock.sleep(ms, signal);
        this.demand(longestMs);
      },
    };
  }

  private async renew(): Promise<void> {
    const { ledger, clock, leases, longestMs } = this.options;
    const now = clock.monotonic();
    for (const { lease, holder } of leases) await keepLease(ledger, lease, holder, clock, longestMs + SLACK_MS);
    this.began = now;
  }

  private demand(withinMs: number): void {
    const { clock, leases } = this.options;
    const [first] = leases;
    if (first === undefined || clock.monotonic() - this.began <= withinMs) return;
    const message = `this process was stopped for longer than the lease of ${first.lease} allows; the hook was not called`;
    throw new LukhasError('LEDGER_CONFLICT', message);
  }
}

import type { Clock } from '../clock.js';
import { monotonicClock } from '../process/index.js';

/** What leases are measured by. A number: a wall clock alone, ms since the epoch, as older versions had it. */
export type LeaseClock = Omit<Clock, 'sleep'> | number;

/** A reading of it. */
export interface Moment {
  /** Milliseconds since the epoch. */
  wall: number;
  /** Milliseconds of the clock that `clockId` names; null without one. */
  monotonic: number | null;
  /** Null: nobody else's readings compare with it. */
  clockId: string | null;
}

export function momentOf(clock: LeaseClock): Moment {
  if (typeof clock === 'number') return { wall: clock, monotonic: null, clockId: null };
  const clockId = clock.clockId === undefined ? monotonicClock() : clock.clockId;
  return { wall: clock.now(), monotonic: clock.monotonic(), clockId };
}

/** A lease as it is recorded. */
export interface LeaseRow {
  holder: string;
  /** By the wall clock of its holder, ms since the epoch. */
  expiresAt: number;
  /** Null for leases of versions before 5 of the format: they have the wall clock alone. */
  term: LeaseTerm | null;
}

/** How long a lease lasts, in the time that its holder measures. */
export interface LeaseTerm {
  clockId: string | null;
  /** A reading of that clock, ms. */
  until: number;
  /** From its newest renewal to its end, ms. */
  ttlMs: number;
}

/** How much later than it may the end of a lease can seem to be, by rounding alone, ms. */
const ROUNDING_MS = 1;

/**
 * Tells when leases lapse, without believing in wall clocks: by the monotonic clock that asker and holder share; where they
 * share none (the machine was restarted, or it is another one) by having seen for its whole length that nobody renewed it.
 */
export class LapseWatch {
  /** Leases of holders with another clock: since when they are as they are, by the asker's clock. */
  readonly #seen = new Map<string, { as: string; clockId: string | null; since: number }>();

  /**
   * What is left of a lease, ms; not above 0 when it has lapsed.
   * @param before read before the lease was: until then nobody has renewed it
   * @param clock read again now: a renewal before that is not noticed
   */
  leftMs(subject: string, { holder, expiresAt, term }: LeaseRow, before: Moment, clock: LeaseClock): number {
    if (term === null || before.monotonic === null) return expiresAt - before.wall;
    const left = term.until - before.monotonic;
    const as = [holder, expiresAt, term.until].join(' ');
    const known = this.#seen.get(subject);
    const isKnown = known?.as === as && known.clockId === before.clockId;
    const unseen = isKnown ? term.ttlMs - Math.max(0, before.monotonic - known.since) : null;
    // More than its whole length: one name for two clocks, as after a machine was put back to a snapshot of its memory.
    if (term.clockId !== null && term.clockId === before.clockId && left <= term.ttlMs + ROUNDING_MS) {
      // Of such a lease there is less left than the term says, also once that is no more than its length.
      if (unseen !== null) return Math.min(left, unseen);
      this.#seen.delete(subject);
      return left;
    }
    if (unseen !== null) return unseen;
    const { monotonic, clockId } = momentOf(clock);
    this.#seen.set(subject, { as, clockId, since: monotonic ?? before.monotonic });
    return term.ttlMs;
  }
}

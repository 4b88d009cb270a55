import type { Clock } from '../clock.js';
import { LukhasError } from '../errors.js';
import { isDead } from './holder.js';
import type { Ledger } from './ledger.js';

/** How often a living holder is asked again: it gives the lease back as soon as it is done. */
const ASK_AGAIN_MS = 1000;

/**
 * Takes the lease of a subject for `holder`, also from a process that certainly no longer lives.
 * @returns null when taken; else when it is worth trying again, ms since the epoch
 */
export async function takeLease(
  ledger: Ledger,
  subject: string,
  holder: string,
  clock: Clock,
  ttlMs: number,
): Promise<number | null> {
  if (await ledger.acquireLease(subject, holder, clock, ttlMs)) return null;
  const held = await ledger.leaseAt(subject, clock);
  if (held === null) return clock.now();
  if (!isDead(held.holder)) return clock.now() + Math.min(Math.max(0, held.leftMs), ASK_AGAIN_MS);
  return (await ledger.acquireLease(subject, holder, clock, ttlMs, held.holder)) ? null : clock.now() + ASK_AGAIN_MS;
}

/** @throws LukhasError LEDGER_CONFLICT when another process has taken the lease, also when it has given it back since */
export async function keepLease(
  ledger: Ledger,
  subject: string,
  holder: string,
  clock: Clock,
  ttlMs: number,
): Promise<void> {
  if (await ledger.renewLease(subject, holder, clock, ttlMs)) return;
  throw new LukhasError('LEDGER_CONFLICT', `${holder} lost the lease of ${subject}`);
}

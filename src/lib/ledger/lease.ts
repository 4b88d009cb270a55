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
  now: number,
  ttlMs: number,
): Promise<number | null> {
  if (await ledger.acquireLease(subject, holder, now, ttlMs)) return null;
  const held = await ledger.lease(subject);
  if (held && !isDead(held.holder)) return Math.min(held.expiresAt, now + ASK_AGAIN_MS);
  if (held) await ledger.releaseLease(subject, held.holder);
  return (await ledger.acquireLease(subject, holder, now, ttlMs)) ? null : now + ASK_AGAIN_MS;
}

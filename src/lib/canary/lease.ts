import { hostname } from 'node:os';
import type { Ledger } from '../ledger/ledger.js';

/** How often a living holder is asked again: it gives the lease back as soon as it is done. */
const ASK_AGAIN_MS = 1000;
/** A lease outlives two missed renewals and the slowest read; a dead holder on this host is noticed at once. */
const SLACK_MS = 30_000;

export function leaseMs(intervalSeconds: number): number {
  return 2 * intervalSeconds * 1000 + SLACK_MS;
}

/**
 * Takes the lease of a canary for `holder`, also from a process of this host that no longer lives.
 * @returns null when taken; else when it is worth trying again, ms since the epoch
 */
export async function takeLease(
  ledger: Ledger,
  canaryId: string,
  holder: string,
  now: number,
  ttlMs: number,
): Promise<number | null> {
  if (await ledger.acquireLease(canaryId, holder, now, ttlMs)) return null;
  const held = await ledger.lease(canaryId);
  if (held && !isDead(held.holder)) return Math.min(held.expiresAt, now + ASK_AGAIN_MS);
  if (held) await ledger.releaseLease(canaryId, held.holder);
  return (await ledger.acquireLease(canaryId, holder, now, ttlMs)) ? null : now + ASK_AGAIN_MS;
}

/** True only for a process of this host that certainly does not exist (a recycled pid reads as alive: the lease lapses). */
function isDead(holder: string): boolean {
  const [host, pid] = holder.split(':');
  if (host !== hostname() || !pid) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

import type { Clock } from '../clock.js';
import { LukhasError } from '../errors.js';
import { actingFor, isDead, type Ledger, livingPid, purposeOf, type StoredEvent, takeLease } from '../ledger/index.js';
import { parentOf, processesWith, stopGroup } from '../process/index.js';
import { applyEvent, type Canary, foldPromotion, IDLE_KINDS } from '../readings/index.js';
import { type GateLease, isCalling } from './tenure.js';

interface GateLeaseContext {
  ledger: Ledger;
  clock: Clock;
  /** Who holds leases in this process. */
  holder: string;
}

/** How soon who waits for a gate asks again. */
const AGAIN_MS = 200;
/** Between SIGTERM and SIGKILL. */
const GRACE_MS = 2000;
/** Entries that are not as they were recorded, or are of a newer version. */
const UNREADABLE: readonly string[] = ['LEDGER_CORRUPT', 'LEDGER_TOO_NEW'];

/**
 * Lets one canary or promotion at a time act on a gate: its hooks and the change of its holder belong together. Whoever
 * was decided first goes first, among those that somebody drives. Comes after the lease of the canary or promotion
 * itself, and nobody asks for another one while it has this: so nobody waits in a circle.
 * A driver that is dead is waited for only while programs of its hooks still run.
 * @param ttlMs longer than all it does takes
 * @returns when to ask again, ms since the epoch, when it is not its turn
 */
export async function takeGateLease(
  { ledger, clock, holder }: GateLeaseContext,
  { id, gate, ttlMs }: { id: string; gate: string; ttlMs: number },
): Promise<GateLease | number> {
  // Those of one process must not pass each other either.
  const gateLease = { lease: `gate:${gate}`, holder: actingFor(holder, id) };
  const now = clock.now();
  if ((await isBehind(ledger, id, gate, clock)) || (await isLeftRunning(ledger, gateLease, clock)))
    return now + AGAIN_MS;
  const again = await takeLease(ledger, gateLease.lease, gateLease.holder, clock, ttlMs);
  return again === null ? gateLease : Math.min(again, now + AGAIN_MS);
}

/**
 * Whether somebody who was decided earlier is driven now. Who is driven is told by the leases, who was decided when by each
 * one's own entries. It is a matter of order alone: whatever it says, nobody is promoted by it, so of entries that cannot be
 * read as they were recorded nobody is waited for.
 */
async function isBehind(ledger: Ledger, id: string, gate: string, clock: Clock): Promise<boolean> {
  const mine = await decidedAt(ledger, id, gate);
  if (mine === null) return false;
  // Most canaries that are driven have nothing to carry out, and need not be read.
  for (const { subject, holder } of await ledger.leasedSubjects(clock, IDLE_KINDS)) {
    if (subject === id || isDead(holder)) continue;
    const theirs = await decidedAt(ledger, subject, gate);
    if (theirs !== null && theirs < mine) return true;
  }
  return false;
}

/** seq of what is to be carried out on this gate; null when there is nothing, or nothing that can be believed. */
async function decidedAt(ledger: Ledger, id: string, gate: string): Promise<number | null> {
  try {
    const events = await ledger.intactEvents(id);
    const [first] = events;
    if (first?.kind === 'promotion.requested') {
      const isOpen = first.data.gate === gate && foldPromotion(events)?.result === null;
      return isOpen ? first.seq : null;
    }
    return first?.kind === 'canary.requested' && first.data.toGate === gate ? pendingSince(events) : null;
  } catch (error) {
    if (error instanceof LukhasError && UNREADABLE.includes(error.code)) return null;
    throw error;
  }
}

/** seq of the entry since which a canary waits for its decision to be carried out. */
function pendingSince(events: readonly StoredEvent[]): number | null {
  let canary: Canary | null = null;
  let since: number | null = null;
  for (const event of events) {
    canary = applyEvent(canary, event);
    if (canary.action.state !== 'pending') since = null;
    else since ??= event.seq;
  }
  return since;
}

/**
 * A hook's program outlives a driver that was killed, or is stopped: it may do to the gate what it was told at any time.
 * When the lease of a driver that lives has lapsed, the program that it waits for is past its time limit, which nobody
 * enforces, and is ended here. What a dead driver has left may be a server that its hook started: that is only waited for.
 */
async function isLeftRunning(ledger: Ledger, { lease, holder }: GateLease, clock: Clock): Promise<boolean> {
  const held = await ledger.leaseAt(lease, clock);
  if (held === null || held.holder === holder) return false;
  if (held.leftMs > 0) return isDead(held.holder) && (await programsFor(held.holder)).length > 0;
  const driver = livingPid(held.holder);
  if (driver === null) return false;
  // This process was stopped itself: it renews the lease now, or ends the call.
  if (driver === process.pid) return isCalling(held.holder);
  const programs = (await programsFor(held.holder)).filter((pid) => parentOf(pid) === driver);
  for (const pid of programs) await stopGroup(pid, GRACE_MS);
  return programs.length > 0;
}

/** Programs of the hooks that a driver calls or has called, and what they have started. */
async function programsFor(holder: string): Promise<number[]> {
  const id = purposeOf(holder) ?? '';
  return processesWith(id.startsWith('p-') ? 'LUKHAS_PROMOTION_ID' : 'LUKHAS_CANARY_ID', id);
}

import type { Clock } from '../clock.js';
import type { Ledger, SubjectSummary } from '../ledger/index.js';
import { actingFor, isDead, purposeOf, takeLease } from '../ledger/index.js';
import { processesWith } from '../process/index.js';

interface GateLeaseContext {
  ledger: Ledger;
  clock: Clock;
  /** Who holds leases in this process. */
  holder: string;
}

/** The lease of a gate, as long as one canary or promotion acts on it: what it does may be made to demand it. */
export interface GateLease {
  lease: string;
  holder: string;
}

/** How soon who waits for a gate asks again. */
const AGAIN_MS = 200;

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
  const turn = { lease: `gate:${gate}`, holder: actingFor(holder, id) };
  const now = clock.now();
  if ((await isBehind(ledger, id, gate, now)) || (await isLeftRunning(ledger, turn, now))) return now + AGAIN_MS;
  const again = await takeLease(ledger, turn.lease, turn.holder, now, ttlMs);
  return again === null ? turn : Math.min(again, now + AGAIN_MS);
}

/** The rows of what is decided for a gate, or asked for, and not carried out yet. */
export async function underWay(ledger: Ledger, gate: string): Promise<SubjectSummary[]> {
  const [canaries, promotions] = await Promise.all([
    ledger.summaries({ type: 'canary', open: true, states: ['PROMOTED', 'ROLLED_BACK'] }),
    ledger.summaries({ type: 'promotion', open: true }),
  ]);
  return [
    ...canaries.filter(({ data }) => data['toGate'] === gate),
    ...promotions.filter(({ data }) => data['gate'] === gate),
  ];
}

async function isBehind(ledger: Ledger, id: string, gate: string, now: number): Promise<boolean> {
  const all = await underWay(ledger, gate);
  const mine = all.find(({ subject }) => subject === id);
  if (mine === undefined) return false;
  for (const { subject, lastSeq } of all) {
    if (lastSeq >= mine.lastSeq) continue;
    const lease = await ledger.lease(subject);
    if (lease !== null && lease.expiresAt > now && !isDead(lease.holder)) return true;
  }
  return false;
}

/** A hook's program outlives a driver that was killed: it may do to the gate what it was told at any time. */
async function isLeftRunning(ledger: Ledger, { lease, holder }: GateLease, now: number): Promise<boolean> {
  const held = await ledger.lease(lease);
  if (held === null || held.holder === holder || held.expiresAt <= now || !isDead(held.holder)) return false;
  const id = purposeOf(held.holder) ?? '';
  const name = id.startsWith('p-') ? 'LUKHAS_PROMOTION_ID' : 'LUKHAS_CANARY_ID';
  return (await processesWith(name, id)).length > 0;
}

import { proveGate } from '../gates/index.js';
import type { Ledger, StoredEvent } from '../ledger/index.js';
import { type Named, notInLog, proveObservations } from '../ledger/index.js';
import { approvalRule, type Canary, foldCanary } from '../readings/index.js';

/** Canaries, as `resolveId` looks for them. */
export const CANARY: Named = { type: 'canary', one: 'canary', many: 'canaries', list: 'lukhas canary list' };

/** @throws LukhasError NOT_FOUND */
export async function loadCanary(ledger: Ledger, id: string): Promise<Canary> {
  return folded(id, await ledger.events({ subject: id }));
}

/**
 * The canary as entries tell it that give the hashes beside them: what is shown of it.
 * @throws LukhasError NOT_FOUND; LEDGER_CORRUPT when one does not
 */
export async function intactCanary(ledger: Ledger, id: string): Promise<Canary> {
  return folded(id, await ledger.intactEvents(id));
}

/**
 * The canary as entries tell it that are proved to be those of the log's tree: what somebody's word is recorded on.
 * Where people are asked, who holds the gate is proved as well.
 * @throws LukhasError NOT_FOUND; LEDGER_CORRUPT when an entry is not as it was recorded
 */
export async function provenCanary(ledger: Ledger, id: string): Promise<Canary> {
  const { canary } = await proved(ledger, id);
  return canary;
}

/**
 * The same, and its observations are those that it was decided on, and the gate's holder is proved in any case: what a
 * promotion is made on.
 * @throws LukhasError as `provenCanary`
 */
export async function provenEvidence(ledger: Ledger, id: string): Promise<Canary> {
  const { canary, events, requestedSeq } = await proved(ledger, id);
  if (approvalRule(canary) === null) await proveGate(ledger, canary.toGate, requestedSeq);
  await proveObservations(ledger, events);
  return canary;
}

/** Evidence as `provenEvidence` reads it, once nothing else forbids that something is promoted in this log. */
export function promotable(beforePromoting: (() => Promise<void>) | undefined): typeof provenEvidence {
  return async (ledger, id) => {
    const canary = await provenEvidence(ledger, id);
    await beforePromoting?.();
    return canary;
  };
}

interface Proved {
  canary: Canary;
  events: StoredEvent[];
  /** seq of its first entry. */
  requestedSeq: number;
}

async function proved(ledger: Ledger, id: string): Promise<Proved> {
  const events = await ledger.provenEvents({ subject: id });
  const canary = folded(id, events);
  const requestedSeq = events[0]?.seq ?? 0;
  if (approvalRule(canary) !== null) await proveGate(ledger, canary.toGate, requestedSeq);
  return { canary, events, requestedSeq };
}

function folded(id: string, events: readonly StoredEvent[]): Canary {
  const canary = foldCanary(events);
  if (canary) return canary;
  throw notInLog(id, CANARY);
}

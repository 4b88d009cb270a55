import type { StoredEvent } from '../ledger/events.js';
import type { Ledger } from '../ledger/ledger.js';
import { proveObservations } from '../ledger/proven-observations.js';
import { type Named, notInLog } from '../ledger/resolve.js';
import { approvalRule } from './consent.js';
import { type Canary, foldCanary } from './state.js';

/** Canaries, as `resolveId` looks for them. */
export const CANARY: Named = { type: 'canary', one: 'canary', many: 'canaries', list: 'lukhas canary list' };

/** @throws LukhasError NOT_FOUND */
export async function loadCanary(ledger: Ledger, id: string): Promise<Canary> {
  return folded(id, await ledger.events({ subject: id }));
}

/**
 * The canary as entries tell it that are proved to be those of the log's tree: what somebody's word is recorded on.
 * Where people are asked, the changes of the gate since it was requested are proved as well.
 * @throws LukhasError NOT_FOUND; LEDGER_CORRUPT when an entry is not as it was recorded
 */
export async function provenCanary(ledger: Ledger, id: string): Promise<Canary> {
  const { canary } = await proved(ledger, id);
  return canary;
}

/**
 * The same, and its observations are those that it was decided on: what a promotion is made on.
 * @param now ms since the epoch
 * @throws LukhasError as `provenCanary`
 */
export async function provenEvidence(ledger: Ledger, id: string, now: number): Promise<Canary> {
  const { canary, events } = await proved(ledger, id);
  await proveObservations(ledger, events, now);
  return canary;
}

async function proved(ledger: Ledger, id: string): Promise<{ canary: Canary; events: StoredEvent[] }> {
  const events = await ledger.provenEvents({ subject: id });
  const canary = folded(id, events);
  const from = events[0]?.seq ?? 0;
  if (approvalRule(canary) !== null) await ledger.provenEvents({ subject: `gate:${canary.toGate}`, from });
  return { canary, events };
}

function folded(id: string, events: readonly StoredEvent[]): Canary {
  const canary = foldCanary(events);
  if (canary) return canary;
  throw notInLog(id, CANARY);
}

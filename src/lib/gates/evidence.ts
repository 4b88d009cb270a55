import { proveObservations } from '../ledger/index.js';
import { type CanaryOutcome, canaryOutcome, foldCanary, isOpen } from '../readings/index.js';
import type { ProvenIndex } from './proven-index.js';

/** What the canaries of a model say of it at a gate. */
export interface Evidence {
  /** The newest one that is not over, or not carried out yet. */
  open: { canaryId: string; state: string } | null;
  /** How the last one ended; null when none has. */
  last: CanaryOutcome | null;
}

/**
 * What the canaries of a model into a gate have shown, by proved entries; dry runs too: they are judged like the others.
 * @throws LukhasError LEDGER_CORRUPT when an entry of the log is not as it was recorded
 */
export async function evidenceOf(index: ProvenIndex, modelId: string, gate: string): Promise<Evidence> {
  await index.catchUp();
  const evidence: Evidence = { open: null, last: null };
  for (const canaryId of index.canaries(modelId, gate)) {
    const events = await index.events(canaryId);
    const canary = foldCanary(events);
    if (canary !== null && isOpen(canary)) {
      evidence.open = { canaryId, state: canary.state };
      continue;
    }
    const outcome = canaryOutcome(events);
    if (outcome !== null && outcome.seq > (evidence.last?.seq ?? -1)) evidence.last = outcome;
  }
  return evidence;
}

/**
 * How a canary ended, by proved entries and with the observations that it was decided on; null while it is not over. Asked
 * before anything is recorded, and before hooks are called.
 * @throws LukhasError LEDGER_CORRUPT when they are not as they were recorded
 */
export async function provenOutcome(index: ProvenIndex, canaryId: string): Promise<CanaryOutcome | null> {
  await index.catchUp();
  const events = await index.events(canaryId);
  await proveObservations(index.ledger, events);
  return canaryOutcome(events);
}

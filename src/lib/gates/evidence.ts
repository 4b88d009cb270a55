import type { Verdict } from '../judge/index.js';
import type { CanaryState, StoredEvent } from '../ledger/index.js';
import { proveObservations } from '../ledger/index.js';
import { foldCanary, isOpen } from '../readings/index.js';
import type { ProvenIndex } from './proven-index.js';

/** What the canaries of a model say of it at a gate. */
export interface Evidence {
  /** The newest one that is not over, or not carried out yet. */
  open: { canaryId: string; state: string } | null;
  /** How the last one ended; null when none has. */
  last: CanaryOutcome | null;
}

export interface CanaryOutcome {
  canaryId: string;
  fromGate: string;
  state: CanaryState;
  /** The verdict's reason, or `override`. */
  reason: string;
  /** As hooks are told: what a person decided is `uncertified`. */
  certainty: string;
  /** Whether evidence, or a person who took it on themselves with a reason, stands behind the promotion. */
  proves: boolean;
  /** Its policy wants people to approve: it passes by their approvals of it, and by nothing else. */
  approvals: boolean;
  /** seq of the event that ended it: the last word is what was said last, not what was begun last. */
  seq: number;
}

const OUTCOMES = { promote: 'PROMOTED', rollback: 'ROLLED_BACK', block: 'BLOCKED', continue: 'BLOCKED' } as const;

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
    const ending = foldEnding(events);
    if (ending !== null && ending.seq > (evidence.last?.seq ?? -1)) evidence.last = ending;
  }
  return evidence;
}

/**
 * How a canary ended, by proved entries and with the observations that it was decided on; null while it is not over. Asked
 * before anything is recorded, and before hooks are called.
 * @param now ms since the epoch
 * @throws LukhasError LEDGER_CORRUPT when they are not as they were recorded
 */
export async function provenOutcome(index: ProvenIndex, canaryId: string, now: number): Promise<CanaryOutcome | null> {
  await index.catchUp();
  const events = await index.events(canaryId);
  await proveObservations(index.ledger, events, now);
  return foldEnding(events);
}

function foldEnding(events: readonly StoredEvent[]): CanaryOutcome | null {
  let fromGate = '';
  let approvals = false;
  let ending: CanaryOutcome | null = null;
  for (const event of events) {
    if (event.kind === 'canary.requested') {
      fromGate = event.data.fromGate;
      approvals = event.data.policy.approvals !== undefined;
    }
    const end = endOf(event);
    if (end !== null)
      ending = {
        ...end,
        // Approvals are of one promotion at one time: a later one is not what was approved.
        proves: end.proves && !approvals,
        approvals,
        canaryId: event.subject,
        fromGate,
        seq: event.seq,
      };
  }
  return ending;
}

function endOf(event: StoredEvent): Omit<CanaryOutcome, 'canaryId' | 'fromGate' | 'seq' | 'approvals'> | null {
  switch (event.kind) {
    case 'canary.decided': {
      const { decision, reason, certainty } = event.data.verdict;
      const proves = decision === 'promote' && everyTargetMet(event.data.verdict);
      return { state: OUTCOMES[decision], reason, certainty, proves };
    }
    case 'canary.overridden':
      return { state: 'PROMOTED', reason: 'override', certainty: 'uncertified', proves: true };
    case 'canary.aborted':
      return { state: 'ABORTED', reason: 'aborted', certainty: 'undecided', proves: false };
    case 'canary.failed':
      return { state: 'FAILED', reason: 'failed', certainty: 'undecided', proves: false };
    default:
      return null;
  }
}

/** `onInconclusive: promote` lets a canary pass that nothing has proved; that is the policy's word, not evidence. */
function everyTargetMet({ objectives }: Verdict): boolean {
  return objectives.every((o) => (o.type === 'reading' ? o.met : o.promote.certified));
}

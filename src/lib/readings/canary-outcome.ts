import type { Verdict } from '../judge/index.js';
import type { StoredEvent } from '../ledger/index.js';
import { approvalRule } from './consent.js';
import { type DecisionEvent, isDecision } from './meaning.js';
import { type Outcome, outcomeOf } from './outcome.js';

/** How a canary ended, as later promotions of its model take it. */
export interface CanaryOutcome {
  canaryId: string;
  fromGate: string;
  state: Outcome['state'];
  /** The verdict's reason, or `override`. */
  reason: string;
  /** As hooks get it: what a person decided is `uncertified`. */
  certainty: string;
  /** Whether evidence, or a person who took it on themselves with a reason, supports the promotion. */
  proves: boolean;
  /** Its policy wants people to approve: it passes by their approvals of it, and by nothing else. */
  approvals: boolean;
  /** seq of the event that ended it: what was said last counts, not what began last. */
  seq: number;
}

/**
 * Folds the events of one canary; null while it has not ended. What people say of one promotion (approvals, refusals,
 * break-glass) is about that promotion at that time, and leaves what the canary has shown as it was.
 */
export function canaryOutcome(events: readonly StoredEvent[]): CanaryOutcome | null {
  let fromGate = '';
  let approvals = false;
  let outcome: CanaryOutcome | null = null;
  for (const event of events) {
    if (event.kind === 'canary.requested') {
      fromGate = event.data.fromGate;
      // Of dry runs, too: they promote nothing, and are not a way around people.
      approvals = approvalRule({ policy: event.data.policy, dryRun: false }) !== null;
    }
    const shown = isDecision(event) ? shownBy(event) : null;
    if (shown === null) continue;
    const proves = shown.proves && !approvals;
    outcome = { ...shown, proves, approvals, canaryId: event.subject, fromGate, seq: event.seq };
  }
  return outcome;
}

type Shown = Pick<CanaryOutcome, 'state' | 'reason' | 'certainty' | 'proves'>;

function shownBy(event: DecisionEvent): Shown | null {
  const state = outcomeOf(event, false)?.state ?? 'BLOCKED';
  switch (event.kind) {
    case 'canary.decided': {
      const { decision, reason, certainty } = event.data.verdict;
      return { state, reason, certainty, proves: decision === 'promote' && everyTargetMet(event.data.verdict) };
    }
    case 'canary.overridden':
      return { state, reason: 'override', certainty: 'uncertified', proves: true };
    case 'canary.aborted':
      return { state, reason: 'aborted', certainty: 'undecided', proves: false };
    case 'canary.failed':
      return { state, reason: 'failed', certainty: 'undecided', proves: false };
    case 'canary.approved':
    case 'canary.rejected':
    case 'canary.lapsed':
    case 'canary.forced':
      return null;
  }
}

/** `onInconclusive: promote` lets a canary pass that nothing has proved; that is the policy's word, not evidence. */
function everyTargetMet({ objectives }: Verdict): boolean {
  return objectives.every((o) => o.reportOnly || (o.type === 'reading' ? o.met : o.promote.certified));
}

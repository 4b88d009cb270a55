import type { Decision } from '../judge/index.js';
import type { CanaryState, EventData, HookAction } from '../ledger/index.js';
import type { DecisionEvent } from './meaning.js';

/** What an entry makes of how a canary ended. */
export interface Outcome {
  state: Extract<CanaryState, 'PROMOTED' | 'ROLLED_BACK' | 'BLOCKED' | 'ABORTED' | 'FAILED'>;
  /** What is to be carried out; null: nothing, or not yet. */
  action: HookAction | null;
  /** Of a promotion that people have to approve: where that stands; null: it stands in no one's way. */
  approval: 'awaiting approval' | 'rejected' | 'lapsed' | null;
  /** Who or what decided: the judge, a person, a person without the approvals asked for, a fault. */
  basis: 'evidence' | 'person' | 'break-glass' | 'error';
}

const STATE_OF_DECISION = {
  promote: 'PROMOTED',
  rollback: 'ROLLED_BACK',
  block: 'BLOCKED',
  continue: 'BLOCKED',
} as const satisfies Record<Decision, Outcome['state']>;

/** State of a canary whose promotion or rollback is being carried out. */
export const STATE_OF_ACTION = { promote: 'PROMOTED', rollback: 'ROLLED_BACK' } as const satisfies Record<
  HookAction,
  Outcome['state']
>;

/** As much of a deciding entry as its outcome depends on. */
export type DecisionFacts =
  | { kind: 'canary.decided'; data: { verdict: { decision: Decision } } }
  | { kind: 'canary.approved'; data: Pick<EventData['canary.approved'], 'count' | 'required'> }
  | { kind: 'canary.lapsed'; data: Pick<EventData['canary.lapsed'], 'cause' | 'begun'> }
  | { kind: Exclude<DecisionEvent['kind'], 'canary.decided' | 'canary.approved' | 'canary.lapsed'> };

/**
 * How a canary has ended by an entry; null when the entry leaves that as it was.
 * @param approvals whether people have to approve a promotion of this canary (see `approvalRule`)
 */
export function outcomeOf(event: DecisionFacts, approvals: boolean): Outcome | null {
  switch (event.kind) {
    case 'canary.decided': {
      const { decision } = event.data.verdict;
      if (decision === 'promote') return promotion('evidence', approvals);
      const action = decision === 'rollback' ? 'rollback' : null;
      return { state: STATE_OF_DECISION[decision], action, approval: null, basis: 'evidence' };
    }
    case 'canary.overridden':
      return promotion('person', approvals);
    case 'canary.approved':
      // One of several approvals decides nothing yet.
      return event.data.count < event.data.required ? null : promotion('evidence', false);
    case 'canary.rejected':
      return { state: 'BLOCKED', action: null, approval: 'rejected', basis: 'person' };
    case 'canary.lapsed': {
      // Time does not come back; a gate can be approved again. After hooks were called nobody knows what others would do.
      const { begun, cause } = event.data;
      const approval = begun || cause === 'time' ? 'lapsed' : 'awaiting approval';
      return { state: 'BLOCKED', action: null, approval, basis: 'person' };
    }
    case 'canary.forced':
      return promotion('break-glass', false);
    case 'canary.aborted':
      return { state: 'ABORTED', action: null, approval: null, basis: 'person' };
    case 'canary.failed':
      return { state: 'FAILED', action: null, approval: null, basis: 'error' };
  }
}

/** Promoted at once, or not before the people whom the policy asks have approved. */
function promotion(basis: Outcome['basis'], waits: boolean): Outcome {
  if (waits) return { state: 'BLOCKED', action: null, approval: 'awaiting approval', basis };
  return { state: STATE_OF_ACTION.promote, action: 'promote', approval: null, basis };
}

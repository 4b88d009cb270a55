import type { EvidencePredicate } from '../formats/index.js';

/** What ends a canary, or changes how it has ended. */
export const DECISION_KINDS = [
  'canary.decided',
  'canary.overridden',
  'canary.aborted',
  'canary.failed',
  'canary.approved',
  'canary.rejected',
  'canary.lapsed',
  'canary.forced',
] as const;
export type DecisionKind = (typeof DECISION_KINDS)[number];

type Decision = EvidencePredicate['decisions'][number];

const OUTCOMES: Readonly<Record<string, Decision['outcome']>> = {
  promote: 'PROMOTED',
  rollback: 'ROLLED_BACK',
  block: 'BLOCKED',
};

/** @param waits whether a promotion waits for people to approve it; until then it is blocked */
export function endOf(kind: DecisionKind, decision: unknown, waits: boolean): Pick<Decision, 'outcome' | 'basis'> {
  switch (kind) {
    case 'canary.decided':
      return {
        outcome: waits && decision === 'promote' ? 'BLOCKED' : (OUTCOMES[String(decision)] ?? 'BLOCKED'),
        basis: 'evidence',
      };
    case 'canary.approved':
      return { outcome: 'PROMOTED', basis: 'evidence' };
    case 'canary.overridden':
      return { outcome: waits ? 'BLOCKED' : 'PROMOTED', basis: 'person' };
    case 'canary.lapsed':
      return { outcome: 'BLOCKED', basis: 'person' };
    case 'canary.rejected':
      return { outcome: 'REJECTED', basis: 'person' };
    case 'canary.forced':
      return { outcome: 'PROMOTED', basis: 'break-glass' };
    case 'canary.aborted':
      return { outcome: 'ABORTED', basis: 'person' };
    case 'canary.failed':
      return { outcome: 'FAILED', basis: 'error' };
  }
}

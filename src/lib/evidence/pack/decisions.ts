import type { Decision } from '../../judge/index.js';
import type { DecisionFacts, DecisionKind, Outcome } from '../../readings/index.js';
import type { EvidencePredicate } from '../formats/index.js';

/** How a canary ended, or how a person changed that. */
export type PackDecision = EvidencePredicate['decisions'][number] & {
  kind: DecisionKind;
  /** A break-glass promotion that nobody had reviewed by the end of the window. */
  unreviewed: boolean;
  /** Tick of the last judged check (null without a verdict), and the number of observations that the decision commits to. */
  lastTick: number | null;
  observations: number;
  /** SHA-256 over them, hex; null without a verdict. */
  digest: string | null;
  dryRun: boolean;
};

/** What decides an outcome, from the columns that were read of an entry. */
export function factsIn(kind: DecisionKind, found: readonly unknown[]): DecisionFacts {
  const [decision, , , , , count, required, , cause, begun] = found.slice(7);
  switch (kind) {
    case 'canary.decided':
      return { kind, data: { verdict: { decision: decision as Decision } } };
    case 'canary.approved':
      return { kind, data: { count: Number(count), required: Number(required) } };
    case 'canary.lapsed':
      return { kind, data: { cause: cause as 'gate' | 'time', begun: begun === 1 } };
    default:
      return { kind };
  }
}

/** A refused promotion is blocked; the statement says that it was refused. */
export function statedOutcome({ state, approval }: Outcome): PackDecision['outcome'] {
  return approval === 'rejected' ? 'REJECTED' : state;
}

/** Counts of a statement; overridden and forced canaries also count as promoted. */
export function countDecisions(decisions: readonly PackDecision[]): EvidencePredicate['counts'] {
  const of = (outcome: PackDecision['outcome']) => decisions.filter((d) => d.outcome === outcome).length;
  return {
    promoted: of('PROMOTED'),
    rolledBack: of('ROLLED_BACK'),
    blocked: of('BLOCKED'),
    aborted: of('ABORTED'),
    failed: of('FAILED'),
    rejected: of('REJECTED'),
    overridden: decisions.filter((d) => d.kind === 'canary.overridden').length,
    breakGlass: decisions.filter((d) => d.basis === 'break-glass').length,
    breakGlassUnreviewed: decisions.filter((d) => d.unreviewed).length,
  };
}

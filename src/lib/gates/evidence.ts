import type { Verdict } from '../judge/index.js';
import type { CanaryState, Ledger, StoredEvent, SubjectSummary } from '../ledger/index.js';
import { proveObservations } from '../ledger/index.js';

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

/** Reads what the canaries of a model into a gate have shown; dry runs too: they are judged like the others. */
export async function evidenceOf(ledger: Ledger, modelId: string, gate: string): Promise<Evidence> {
  const heads = await ledger.summaries({ type: 'canary', modelId });
  const own = heads.filter((head) => head.data['toGate'] === gate);
  const running = own.find((head) => head.open);
  return {
    open: running ? { canaryId: running.subject, state: running.state } : null,
    last: await lastEnding(
      ledger,
      own.filter((head) => !head.open),
    ),
  };
}

/**
 * How a canary ended, by entries that are proved to be those of the log's tree, and with the observations that it was
 * decided on; null while it is not over. Asked before hooks are called.
 * @param now ms since the epoch
 * @throws LukhasError LEDGER_CORRUPT when they are not
 */
export async function provenOutcome(ledger: Ledger, canaryId: string, now: number): Promise<CanaryOutcome | null> {
  const events = await ledger.provenEvents({ subject: canaryId });
  await proveObservations(ledger, events, now);
  return foldEnding(events);
}

async function endingOf(ledger: Ledger, canaryId: string): Promise<CanaryOutcome | null> {
  return foldEnding(await ledger.events({ subject: canaryId }));
}

/** No event of a canary lies beyond its row's lastSeq, so that most canaries need not be read. */
async function lastEnding(ledger: Ledger, heads: readonly SubjectSummary[]): Promise<CanaryOutcome | null> {
  let last: CanaryOutcome | null = null;
  for (const head of [...heads].sort((a, b) => b.lastSeq - a.lastSeq)) {
    if (last !== null && last.seq > head.lastSeq) break;
    const ending = await endingOf(ledger, head.subject);
    if (ending !== null && (last === null || ending.seq > last.seq)) last = ending;
  }
  return last;
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

import { LukhasError } from '../errors.js';
import type { Policy, Verdict } from '../judge/index.js';
import type { Actor, CanaryState, EventKind, HookAction, StoredEvent, SummaryDraft } from '../ledger/index.js';
import { approvalRule, type Consent, consentAfter, NO_CONSENT } from './consent.js';
import { type CanaryEvent, type DecisionEvent, isCanaryEvent, meaningOf, unhandled } from './meaning.js';
import { outcomeOf } from './outcome.js';

/**
 * `pending`: decided and not yet acted on; `failed`: a hook failed and may be tried again; `awaiting approval`: the policy
 * wants people to approve first; `rejected`: one of them refused; `lapsed`: complete approvals lapsed for good.
 */
export type ActionState = 'none' | 'awaiting approval' | 'rejected' | 'lapsed' | 'pending' | 'done' | 'failed';

/** A canary as its events tell it: a reading of the log, never stored as a truth of its own. */
export interface Canary {
  id: string;
  modelId: string;
  fromGate: string;
  toGate: string;
  state: CanaryState;
  policy: Policy;
  policyDigest: string;
  source: Record<string, unknown>;
  dryRun: boolean;
  requestedBy: Actor;
  createdAt: string;
  updatedAt: string;
  /** Begin of the window, ms since the epoch; null while PENDING. */
  startedAt: number | null;
  extended: boolean;
  held: string | null;
  /** Since when readings have been missing for longer than the policy allows, ms; null: they are not. */
  fallbackSince: number | null;
  /** When it was decided or overridden, RFC 3339. */
  decidedAt: string | null;
  verdict: Verdict | null;
  observations: { count: number; digest: string } | null;
  /**
   * `failed` and `detail`: the hook that failed, and what its newest call said of why; `hooks`: how many were configured
   * when it was acted on, null before that.
   */
  action: {
    kind: HookAction | null;
    state: ActionState;
    failed: string | null;
    detail: string | null;
    hooks: number | null;
  };
  /** What people said of it where the policy wants approvals. */
  consent: Consent;
  ended: { by: Actor; reason: string } | null;
  failure: { code: string; message: string } | null;
  lastSeq: number;
}

export function isTerminal(state: CanaryState): boolean {
  return state !== 'PENDING' && state !== 'RUNNING';
}

/** Whether a driver still has something to do: watch it, or act on its decision. */
export function isOpen(canary: Canary): boolean {
  return !isTerminal(canary.state) || canary.action.state === 'pending';
}

/** What beside the state has to be so; null: nothing. */
function condition({ action, consent, policy, dryRun }: Canary, kind: EventKind): boolean {
  switch (kind) {
    // One that people are asked about, or have refused, is no longer a matter of one person.
    case 'canary.overridden':
      return action.state === 'none';
    case 'canary.approved':
    case 'canary.rejected':
      return action.state === 'awaiting approval';
    case 'canary.lapsed':
      return action.state === 'pending' && action.kind === 'promote' && consent.approvals.length > 0;
    case 'canary.forced':
      return approvalRule({ policy, dryRun }) !== null && !consent.lapsed?.begun;
    case 'canary.reviewed':
      return consent.breakGlass !== null && consent.breakGlass.review === null;
    default:
      return true;
  }
}

function admits(canary: Canary, kind: EventKind): boolean {
  const states = meaningOf(kind).canary;
  return states === undefined || (states.includes(canary.state) && condition(canary, kind));
}

/** @throws LukhasError ILLEGAL_TRANSITION when the canary's state does not admit the event */
export function assertAllowed(canary: Canary, kind: EventKind): void {
  const { canary: states, verb = kind } = meaningOf(kind);
  if (states !== undefined && admits(canary, kind)) return;
  const { id, state, action } = canary;
  const stands = ['awaiting approval', 'rejected', 'lapsed'].includes(action.state)
    ? `${state} (${action.state})`
    : state;
  throw new LukhasError('ILLEGAL_TRANSITION', `Canary ${id} is ${stands}: it cannot be ${verb}.`, {
    suggestions: [
      ...(kind === 'canary.overridden'
        ? ['Only a BLOCKED canary that needs no approvals can be promoted by hand; start a new canary for this model.']
        : []),
      ...(kind === 'canary.approved' && admits(canary, 'canary.reviewed')
        ? [`It was promoted by break-glass and needs a review: lukhas canary review ${id} --reason "..."`]
        : []),
      `Check its state: lukhas canary status ${id}`,
    ],
  });
}

/** Folds one event in; the first must be `canary.requested`. Events of other kinds about the same subject are passed over. */
export function applyEvent(canary: Canary | null, event: StoredEvent): Canary {
  if (event.kind === 'canary.requested' && !canary) return requested(event);
  if (!canary)
    throw new LukhasError(
      'LEDGER_CORRUPT',
      `Log entry ${event.seq} is about ${event.subject}, which was never requested.`,
    );
  if (!admits(canary, event.kind))
    throw new LukhasError(
      'LEDGER_CORRUPT',
      `Log entry ${event.seq} (${event.kind}) cannot follow state ${canary.state} of ${canary.id}.`,
    );
  const next: Canary = { ...canary, updatedAt: event.ts, lastSeq: event.seq };
  return isCanaryEvent(event) ? { ...next, ...change(next, event) } : next;
}

function requested(event: Extract<StoredEvent, { kind: 'canary.requested' }>): Canary {
  const { modelId, fromGate, toGate, policy, policyDigest, source, dryRun, requestedBy } = event.data;
  return {
    id: event.subject,
    modelId,
    fromGate,
    toGate,
    state: 'PENDING',
    policy,
    policyDigest,
    source,
    dryRun,
    requestedBy,
    createdAt: event.ts,
    updatedAt: event.ts,
    startedAt: null,
    extended: false,
    held: null,
    fallbackSince: null,
    decidedAt: null,
    verdict: null,
    observations: null,
    action: { kind: null, state: 'none', failed: null, detail: null, hooks: null },
    consent: NO_CONSENT,
    ended: null,
    failure: null,
    lastSeq: event.seq,
  };
}

function change(canary: Canary, event: CanaryEvent): Partial<Canary> {
  switch (event.kind) {
    case 'canary.started':
      return { state: 'RUNNING', startedAt: event.data.startedAt };
    case 'canary.extended':
      return { extended: true };
    case 'canary.held':
      return { held: event.data.objective };
    case 'fallback.engaged':
      return { fallbackSince: event.data.since };
    case 'fallback.released':
      return { fallbackSince: null };
    case 'canary.decided': {
      const { verdict, observations } = event.data;
      return { decidedAt: event.ts, verdict, observations, ...concluded(canary, event) };
    }
    case 'canary.overridden':
      return { decidedAt: event.ts, ended: event.data, ...concluded(canary, event) };
    case 'canary.aborted':
      return { ended: event.data, ...concluded(canary, event) };
    case 'canary.failed':
      return { failure: event.data, ...concluded(canary, event) };
    case 'canary.acted': {
      const { action, ok, failed, hooks } = event.data;
      const detail = ok ? null : canary.action.detail;
      return { action: { kind: action, state: ok ? 'done' : 'failed', failed, detail, hooks } };
    }
    case 'hook.finished':
      return { action: { ...canary.action, detail: event.data.ok ? null : event.data.detail } };
    case 'canary.retried':
      return { action: actionOf(event.data.action, 'pending') };
    case 'canary.approved':
    case 'canary.rejected':
    case 'canary.lapsed':
    case 'canary.forced':
      return { consent: consentAfter(canary.consent, approvalRule(canary), event), ...concluded(canary, event) };
    case 'canary.reviewed':
      return { consent: consentAfter(canary.consent, approvalRule(canary), event) };
    // A first request is not folded into anything, a hook's result is what counts, and pruning changes no outcome.
    case 'canary.pruned':
    case 'canary.requested':
    case 'hook.intended':
      return {};
    default:
      return unhandled(event);
  }
}

/** What a deciding entry makes of the canary; nothing where it leaves that as it was. */
function concluded(canary: Canary, event: DecisionEvent): Partial<Pick<Canary, 'state' | 'action'>> {
  const outcome = outcomeOf(event, approvalRule(canary) !== null);
  if (outcome === null) return {};
  const { state, action, approval } = outcome;
  if (approval !== null) return { state, action: actionOf('promote', approval) };
  return { state, action: actionOf(action, action !== null && !canary.dryRun ? 'pending' : 'none') };
}

function actionOf(kind: HookAction | null, state: ActionState): Canary['action'] {
  return { kind, state, failed: null, detail: null, hooks: null };
}

export function foldCanary(events: Iterable<StoredEvent>): Canary | null {
  let canary: Canary | null = null;
  for (const event of events) canary = applyEvent(canary, event);
  return canary;
}

/** The row that listings read; a projection of the canary that can be built again at any time. */
export function canarySummary(canary: Canary): SummaryDraft {
  const { breakGlass } = canary.consent;
  return {
    subject: canary.id,
    type: 'canary',
    state: canary.state,
    modelId: canary.modelId,
    open: isOpen(canary),
    data: {
      fromGate: canary.fromGate,
      toGate: canary.toGate,
      dryRun: canary.dryRun,
      reason: canary.verdict?.reason ?? null,
      action: canary.action.state,
      ...(breakGlass === null ? {} : { breakGlass: breakGlass.review === null ? 'not reviewed' : 'reviewed' }),
    },
  };
}

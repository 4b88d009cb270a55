import { LukhasError } from '../errors.js';
import type { Policy, Verdict } from '../judge/index.js';
import type { Actor, CanaryState, EventKind, HookAction, StoredEvent, SummaryDraft } from '../ledger/index.js';
import { applyApprovalEvent, approvalRule, type Consent, NO_CONSENT } from './consent.js';

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

const TERMINAL: readonly CanaryState[] = ['PROMOTED', 'ROLLED_BACK', 'BLOCKED', 'ABORTED', 'FAILED'];

export function isTerminal(state: CanaryState): boolean {
  return TERMINAL.includes(state);
}

/** Whether a driver still has something to do: watch it, or act on its decision. */
export function isOpen(canary: Canary): boolean {
  return !isTerminal(canary.state) || canary.action.state === 'pending';
}

const ALLOWED: { readonly [K in EventKind]?: readonly CanaryState[] } = {
  'canary.requested': [],
  'canary.started': ['PENDING'],
  'canary.extended': ['RUNNING'],
  'canary.held': ['RUNNING'],
  'fallback.engaged': ['PENDING', 'RUNNING'],
  'fallback.released': ['RUNNING'],
  'canary.decided': ['RUNNING'],
  'canary.aborted': ['PENDING', 'RUNNING'],
  'canary.overridden': ['BLOCKED'],
  'canary.failed': ['PENDING', 'RUNNING'],
  'canary.acted': ['PROMOTED', 'ROLLED_BACK'],
  'canary.retried': ['PROMOTED', 'ROLLED_BACK'],
  'hook.intended': ['PROMOTED', 'ROLLED_BACK'],
  'hook.finished': ['PROMOTED', 'ROLLED_BACK'],
  'canary.approved': ['BLOCKED'],
  'canary.rejected': ['BLOCKED'],
  'canary.lapsed': ['PROMOTED'],
  'canary.forced': ['BLOCKED'],
  'canary.reviewed': ['PROMOTED'],
};

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
  return ALLOWED[kind] === undefined || (ALLOWED[kind].includes(canary.state) && condition(canary, kind));
}

const VERBS: { readonly [K in EventKind]?: string } = {
  'canary.aborted': 'aborted',
  'canary.overridden': 'promoted by hand',
  'canary.approved': 'approved',
  'canary.rejected': 'rejected',
  'canary.forced': 'promoted by break-glass',
  'canary.reviewed': 'reviewed',
};

/** @throws LukhasError ILLEGAL_TRANSITION when the canary's state does not admit the event */
export function assertAllowed(canary: Canary, kind: EventKind): void {
  if (ALLOWED[kind] !== undefined && admits(canary, kind)) return;
  const { id, state, action } = canary;
  const stands = ['awaiting approval', 'rejected', 'lapsed'].includes(action.state)
    ? `${state} (${action.state})`
    : state;
  const verb = VERBS[kind] ?? kind;
  throw new LukhasError('ILLEGAL_TRANSITION', `Canary ${id} is ${stands}: it cannot be ${verb}.`, {
    suggestions: [
      ...(kind === 'canary.overridden'
        ? [
            'Only a BLOCKED canary that nobody is asked about can be promoted by hand; start a new canary for this model.',
          ]
        : []),
      ...(kind === 'canary.approved' && admits(canary, 'canary.reviewed')
        ? [`It was promoted by break-glass and waits for a review: lukhas canary review ${id} --reason "..."`]
        : []),
      `See what became of it: lukhas canary status ${id}`,
    ],
  });
}

/** Folds one event in; the first must be `canary.requested`. Events of other kinds about the same subject are passed over. */
export function applyEvent(canary: Canary | null, event: StoredEvent): Canary {
  if (event.kind === 'canary.requested' && !canary) return requested(event);
  if (!canary)
    throw new LukhasError(
      'LEDGER_CORRUPT',
      `Log entry ${event.seq} speaks of ${event.subject} before it was requested.`,
    );
  if (!admits(canary, event.kind))
    throw new LukhasError(
      'LEDGER_CORRUPT',
      `Log entry ${event.seq} (${event.kind}) cannot follow state ${canary.state} of ${canary.id}.`,
    );
  const next: Canary = { ...canary, updatedAt: event.ts, lastSeq: event.seq };
  return { ...next, ...change(next, event) };
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

const OUTCOME = { promote: 'PROMOTED', rollback: 'ROLLED_BACK', block: 'BLOCKED', continue: 'BLOCKED' } as const;

function change(canary: Canary, event: StoredEvent): Partial<Canary> {
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
      const kind = verdict.decision === 'promote' || verdict.decision === 'rollback' ? verdict.decision : null;
      const decided = { decidedAt: event.ts, verdict, observations };
      // A rollback never waits for anybody.
      if (kind === 'promote') return { ...decided, ...promotion(canary) };
      const state: ActionState = kind && !canary.dryRun ? 'pending' : 'none';
      return { ...decided, state: OUTCOME[verdict.decision], action: actionOf(kind, state) };
    }
    case 'canary.overridden':
      return { decidedAt: event.ts, ended: event.data, ...promotion(canary) };
    case 'canary.acted': {
      const { action, ok, failed, hooks } = event.data;
      const detail = ok ? null : canary.action.detail;
      return { action: { kind: action, state: ok ? 'done' : 'failed', failed, detail, hooks } };
    }
    case 'hook.finished':
      return { action: { ...canary.action, detail: event.data.ok ? null : event.data.detail } };
    case 'canary.retried':
      return { action: actionOf(event.data.action, 'pending') };
    case 'canary.aborted':
      return { state: 'ABORTED', ended: event.data };
    case 'canary.failed':
      return { state: 'FAILED', failure: event.data };
    default:
      return said(canary, event);
  }
}

function actionOf(kind: HookAction | null, state: ActionState): Canary['action'] {
  return { kind, state, failed: null, detail: null, hooks: null };
}

/** Promoted at once, or not before the people whom the policy asks have approved. */
function promotion(canary: Canary): Pick<Canary, 'state' | 'action'> {
  if (approvalRule(canary) !== null) return { state: 'BLOCKED', action: actionOf('promote', 'awaiting approval') };
  return { state: 'PROMOTED', action: actionOf('promote', canary.dryRun ? 'none' : 'pending') };
}

/** What people say where the policy wants approvals. */
function said(canary: Canary, event: StoredEvent): Partial<Canary> {
  const heard = applyApprovalEvent(canary.consent, approvalRule(canary), event);
  if (heard === null) return {};
  const { consent, action } = heard;
  if (action === null) return { consent };
  return { consent, state: action === 'pending' ? 'PROMOTED' : 'BLOCKED', action: actionOf('promote', action) };
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

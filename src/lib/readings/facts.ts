import type { Verdict } from '../judge/index.js';
import type { CanaryState, HookAction, StoredEvent } from '../ledger/index.js';
import { approvalRule } from './consent.js';
import type { GateChange } from './gate.js';
import { type CanaryEvent, type DecisionEvent, type EventOf, isCanaryEvent, isDecision, unhandled } from './meaning.js';
import { outcomeOf } from './outcome.js';

/** A change of a gate's holder, as a story has it. */
export interface GateEntry extends GateChange {
  gate: string;
  /** How a person did it, and on the evidence of which canary (null: without); left out where the gate was set. */
  promotion?: { id: string; canaryId: string | null };
}

/**
 * What a canary's readings come to where nothing was decided: `pruned` they are no longer kept, `not known` it is not
 * recorded what had been read by then; null: not asked, because a decision was recorded or no look was taken.
 */
export type InterimVerdict = Verdict | 'pruned' | 'not known' | null;

/** What the log holds about one canary, or held at a time. */
export interface CanaryHistory {
  id: string;
  /** In order; the first is `canary.requested`. */
  events: readonly StoredEvent[];
  /** Of the changes of the gate it wanted to enter at least its own and the newest, in order. */
  gate: readonly GateEntry[];
  interim: InterimVerdict;
  /** Nothing later than this was read, ms since the epoch; null: all there is. */
  asOf: number | null;
}

export interface HookCallFacts {
  action: HookAction;
  hook: string;
  attempt: number;
  intended: EventOf<'hook.intended'>;
  /** Null: its end is not recorded. */
  finished: EventOf<'hook.finished'> | null;
}

/** The events of a canary, sorted by what an explanation asks of them. */
export interface Facts {
  id: string;
  requested: EventOf<'canary.requested'>;
  state: CanaryState;
  started: EventOf<'canary.started'> | null;
  decided: EventOf<'canary.decided'> | null;
  overridden: EventOf<'canary.overridden'> | null;
  aborted: EventOf<'canary.aborted'> | null;
  failed: EventOf<'canary.failed'> | null;
  extended: EventOf<'canary.extended'> | null;
  /** The last attempt to carry it out; null before the first, and after somebody asked for another. */
  acted: EventOf<'canary.acted'> | null;
  retried: EventOf<'canary.retried'>[];
  silences: { engaged: EventOf<'fallback.engaged'>; released: EventOf<'fallback.released'> | null }[];
  calls: HookCallFacts[];
  /** What is or was to be carried out; null: nothing. */
  action: HookAction | null;
  /** What people said where the policy wants approvals. */
  approvals: EventOf<'canary.approved'>[];
  rejected: EventOf<'canary.rejected'> | null;
  lapses: EventOf<'canary.lapsed'>[];
  forced: EventOf<'canary.forced'> | null;
  reviewed: EventOf<'canary.reviewed'> | null;
  /** Its observations were deleted by retention. */
  pruned: EventOf<'canary.pruned'> | null;
  /** A promotion waits for people to approve it. */
  awaits: boolean;
}

/** Sorts a canary's events; null when they hold no request. */
export function factsOf(id: string, events: readonly StoredEvent[]): Facts | null {
  let facts: Facts | null = null;
  for (const event of events) {
    if (event.kind === 'canary.requested') facts ??= begun(id, event);
    else if (facts !== null && isCanaryEvent(event)) take(facts, event);
  }
  return facts;
}

function begun(id: string, requested: Facts['requested']): Facts {
  return {
    id,
    requested,
    state: 'PENDING',
    started: null,
    decided: null,
    overridden: null,
    aborted: null,
    failed: null,
    extended: null,
    acted: null,
    retried: [],
    silences: [],
    calls: [],
    action: null,
    approvals: [],
    rejected: null,
    lapses: [],
    forced: null,
    reviewed: null,
    pruned: null,
    awaits: false,
  };
}

function take(facts: Facts, event: Exclude<CanaryEvent, EventOf<'canary.requested'>>): void {
  if (isDecision(event)) conclude(facts, event);
  switch (event.kind) {
    case 'canary.started':
      Object.assign(facts, { started: event, state: 'RUNNING' } satisfies Partial<Facts>);
      return;
    case 'canary.decided':
      facts.decided = event;
      return;
    case 'canary.overridden':
      facts.overridden = event;
      return;
    case 'canary.aborted':
      facts.aborted = event;
      return;
    case 'canary.failed':
      facts.failed = event;
      return;
    case 'canary.extended':
      facts.extended = event;
      return;
    case 'canary.acted':
      facts.acted = event;
      return;
    case 'canary.retried':
      facts.retried.push(event);
      // Not yet caught up again.
      facts.acted = null;
      return;
    case 'fallback.engaged':
      facts.silences.push({ engaged: event, released: null });
      return;
    case 'fallback.released':
      takeRelease(facts, event);
      return;
    case 'hook.intended':
    case 'hook.finished':
      takeCall(facts.calls, event);
      return;
    case 'canary.approved':
      facts.approvals.push(event);
      return;
    case 'canary.rejected':
      facts.rejected = event;
      return;
    case 'canary.lapsed':
      facts.lapses.push(event);
      facts.acted = null;
      // What hooks were called for stays in the story.
      facts.action = event.data.begun ? 'promote' : null;
      return;
    case 'canary.forced':
      facts.forced = event;
      return;
    case 'canary.reviewed':
      facts.reviewed = event;
      return;
    case 'canary.pruned':
      facts.pruned = event;
      return;
    // Told by the verdict's attribution.
    case 'canary.held':
      return;
    default:
      unhandled(event);
  }
}

function conclude(facts: Facts, event: DecisionEvent): void {
  const outcome = outcomeOf(event, approvalRule(facts.requested.data) !== null);
  if (outcome === null) return;
  const { state, action, approval } = outcome;
  Object.assign(facts, { state, action, awaits: approval === 'awaiting approval' } satisfies Partial<Facts>);
}

function takeRelease(facts: Facts, event: EventOf<'fallback.released'>): void {
  const silence = facts.silences.at(-1);
  if (silence) silence.released ??= event;
}

/** The calls of hooks among the events of a subject, in order. */
export function callsOf(events: readonly StoredEvent[]): HookCallFacts[] {
  const calls: HookCallFacts[] = [];
  for (const event of events)
    if (event.kind === 'hook.intended' || event.kind === 'hook.finished') takeCall(calls, event);
  return calls;
}

function takeCall(calls: HookCallFacts[], event: EventOf<'hook.intended'> | EventOf<'hook.finished'>): void {
  const { action, hook, attempt } = event.data;
  if (event.kind === 'hook.intended') {
    calls.push({ action, hook, attempt, intended: event, finished: null });
    return;
  }
  const call = calls.findLast((c) => c.action === action && c.hook === hook && c.attempt === attempt);
  if (call) call.finished ??= event;
}

/** The verdict to explain: the recorded one, or how it stands by the readings. */
export function verdictOf(facts: Facts, standing: InterimVerdict): Verdict | null {
  if (facts.decided) return facts.decided.data.verdict;
  return typeof standing === 'object' ? standing : null;
}

/** Whether the input sets its own times, so that they say nothing of when it was read. */
export function hasOwnTimes(facts: Facts): boolean {
  return facts.requested.data.source['kind'] === 'ndjson';
}

import { timestamp } from '../clock.js';
import { type Glance, glanceOf } from '../judge/index.js';
import type { CanaryState, FeedItem, StoredEvent } from '../ledger/index.js';
import {
  type CanaryEvent,
  type DecisionEvent,
  isCanaryEvent,
  isDecision,
  isJobEvent,
  type JobEvent,
  jobStateAfter,
  outcomeOf,
  STATE_OF_ACTION,
  unhandled,
} from '../readings/index.js';
import { observedBy } from './observed.js';
import { canaryTopics, gateTopics, jobTopics, metricTopics } from './topics.js';

/** What every event of a canary, a job or a promotion repeats, taken from the event that asked for it. */
export type Subject =
  | {
      type: 'canary';
      modelId: string;
      fromGate: string;
      toGate: string;
      dryRun: boolean;
      /** How many people have to approve a promotion; left out: nobody. It stands in the events that it is about. */
      approvals?: number;
    }
  | { type: 'job'; taskId: string; configId: string | null; dryRun: boolean }
  | { type: 'promotion'; modelId: string; gate: string };

/** Something that happened, as followers are told of it. */
export interface StreamEvent {
  topics: string[];
  name: string;
  data: Record<string, unknown>;
}

/**
 * What the stream says of an item of the feed; pure.
 * @param subject of the item; null when nothing asked for it, as for a gate
 * @param judged how the canary stands after an observation; null where that was not asked
 * @returns null for what has no subscribers: steps within a step, and what is about no canary, job or gate
 */
export function streamEvent(item: FeedItem, subject: Subject | null, judged: Glance | null = null): StreamEvent | null {
  if (item.type === 'event') {
    if (subject?.type === 'canary') return canaryEvent(item.event, subject);
    if (subject?.type === 'job') return isJobEvent(item.event) ? jobEvent(item.event, subject) : null;
    return gateEvent(item.event, subject);
  }
  const { canaryId, observation } = item;
  const head = { ts: timestamp(observation.t), canaryId, status: 'RUNNING', ...facts(subject) };
  const { tick, from } = observation;
  return {
    topics: metricTopics(canaryId),
    name: 'metric',
    data: { ...head, tick, from: timestamp(from), ...observedBy(observation), judged },
  };
}

/** What the first event of a canary, job or promotion tells of it; null for other events. */
export function subjectOf(event: StoredEvent): Subject | null {
  if (event.kind === 'canary.requested') {
    const { modelId, fromGate, toGate, dryRun, policy } = event.data;
    const approvals = dryRun || policy.approvals === undefined ? {} : { approvals: policy.approvals.required };
    return { type: 'canary', modelId, fromGate, toGate, dryRun, ...approvals };
  }
  if (event.kind === 'promotion.requested') {
    const { modelId, gate } = event.data;
    return { type: 'promotion', modelId, gate };
  }
  if (event.kind !== 'job.queued') return null;
  const { taskId, configId, dryRun } = event.data;
  return { type: 'job', taskId, configId, dryRun };
}

function facts(subject: Subject | null): Record<string, unknown> {
  if (subject === null) return {};
  if (subject.type !== 'canary') {
    const { type: _, ...rest } = subject;
    return rest;
  }
  const { type: _, approvals: __, ...rest } = subject;
  return rest;
}

function canaryEvent(event: StoredEvent, subject: Extract<Subject, { type: 'canary' }>): StreamEvent | null {
  const news = isCanaryEvent(event) ? canaryNews(event, subject.approvals ?? 0) : null;
  if (news === null) return null;
  const [name, status, more] = news;
  const head = { ts: event.ts, canaryId: event.subject, status, ...facts(subject) };
  return { topics: canaryTopics(event.subject), name, data: { ...head, ...more } };
}

type News = [name: string, status: CanaryState, more: Record<string, unknown>];

/** @param required how many people have to approve a promotion */
function canaryNews(event: CanaryEvent, required: number): News | null {
  if (isDecision(event)) return decisionNews(event, required);
  switch (event.kind) {
    case 'canary.requested': {
      const { policy, requestedBy } = event.data;
      return [
        'requested',
        'PENDING',
        {
          windowSeconds: policy.windowSeconds,
          intervalSeconds: policy.intervalSeconds,
          targets: policy.targets,
          by: requestedBy.who,
        },
      ];
    }
    case 'canary.started':
      return ['started', 'RUNNING', { startedAt: timestamp(event.data.startedAt) }];
    case 'canary.extended': {
      const { tick, windowEndsAt, reason } = event.data;
      return ['extended', 'RUNNING', { tick, windowEndsAt: timestamp(windowEndsAt), reason }];
    }
    case 'canary.held':
      return ['held', 'RUNNING', event.data];
    case 'fallback.engaged': {
      const { tick, since, total, states } = event.data;
      return ['fallback', 'RUNNING', { engaged: true, tick, since: timestamp(since), total, states }];
    }
    case 'fallback.released':
      return ['fallback', 'RUNNING', { engaged: false, ...event.data }];
    case 'canary.acted':
      return ['acted', STATE_OF_ACTION[event.data.action], event.data];
    case 'hook.finished': {
      const { action, hook, attempt, ok, detail, durationMs } = event.data;
      return ['hook', STATE_OF_ACTION[action], { action, hook, attempt, ok, detail, durationMs }];
    }
    case 'canary.reviewed':
      return ['reviewed', 'PROMOTED', { by: event.data.by.who, reason: event.data.reason }];
    // Steps within a step, and what changes nothing of how it ended.
    case 'canary.pruned':
    case 'canary.retried':
    case 'hook.intended':
      return null;
    default:
      return unhandled(event);
  }
}

/** What ends a canary, or changes how it has ended. A promotion that people have to approve is `promoted` when they have. */
function decisionNews(event: DecisionEvent, required: number): News {
  const outcome = outcomeOf(event, required > 0);
  const state = outcome?.state ?? 'BLOCKED';
  const ended = state.toLowerCase();
  const waits = outcome?.approval === 'awaiting approval';
  const asked = (more: Record<string, unknown>): News =>
    waits ? ['awaiting_approval', state, { ...more, required }] : [ended, state, more];
  switch (event.kind) {
    case 'canary.decided': {
      const { verdict } = event.data;
      const { reason, certainty, decidedBy, tick, elapsedSeconds, savedSeconds } = verdict;
      const judged = glanceOf(verdict);
      return asked({ reason, certainty, decidedBy, override: false, tick, elapsedSeconds, savedSeconds, judged });
    }
    // Somebody answers for it: no evidence certifies it, and no objective decided.
    case 'canary.overridden': {
      const { by, reason } = event.data;
      return asked({ reason, certainty: 'uncertified', decidedBy: null, override: true, by: by.who });
    }
    case 'canary.approved': {
      const { by, reason, count, digest, required: needed } = event.data;
      const more = { by: by.who, reason, approvals: count, required: needed, digest };
      return outcome === null ? ['approved', state, more] : [ended, state, { ...more, approved: true }];
    }
    case 'canary.rejected':
      return ['rejected', state, { by: event.data.by.who, reason: event.data.reason }];
    case 'canary.lapsed':
      return ['lapsed', state, event.data];
    case 'canary.forced': {
      const { by, reason, reviewDueAt } = event.data;
      const more = { by: by.who, reason, breakGlass: true, override: true, certainty: 'uncertified', decidedBy: null };
      return [ended, state, { ...more, reviewDueAt: timestamp(reviewDueAt) }];
    }
    case 'canary.aborted':
      return [ended, state, { reason: event.data.reason, by: event.data.by.who }];
    case 'canary.failed':
      return [ended, state, event.data];
    default:
      return unhandled(event);
  }
}

/** What becomes of the holders of gates, by canaries, promotions and people. */
function gateEvent(event: StoredEvent, subject: Subject | null): StreamEvent | null {
  const { ts, kind, data } = event;
  if (kind === 'gate.changed') {
    const { gate, modelId, previous, canaryId, by } = data;
    return {
      topics: gateTopics(gate),
      name: 'gate_changed',
      data: { ts, gate, modelId, previous, canaryId, by: by.who },
    };
  }
  if (subject?.type !== 'promotion') return null;
  const head = { ts, promotionId: event.subject, ...facts(subject) };
  const topics = gateTopics(subject.gate);
  if (kind === 'promotion.requested') {
    const { fromGate, previous, canaryId, requestedBy } = data;
    return {
      topics,
      name: 'promotion_requested',
      data: { ...head, fromGate, previous, canaryId, by: requestedBy.who },
    };
  }
  if (kind !== 'promotion.finished') return null;
  const { ok, failed, changed } = data;
  return { topics, name: 'promotion_finished', data: { ...head, ok, failed, changed } };
}

function jobEvent(event: JobEvent, subject: Subject): StreamEvent {
  const name = jobStateAfter(event);
  const head = { ts: event.ts, jobId: event.subject, status: name, ...facts(subject) };
  return { topics: jobTopics(event.subject), name, data: { ...head, ...jobNews(event) } };
}

/** What a program wrote is left out: it is long, and `status` has it. */
function jobNews(event: JobEvent): Record<string, unknown> {
  switch (event.kind) {
    case 'job.queued':
      return { timeoutSeconds: event.data.timeoutSeconds, by: event.data.requestedBy.who };
    case 'job.running':
      return { pid: event.data.pid };
    case 'job.completed': {
      const { durationMs, exitCode, metrics } = event.data;
      return { durationMs, exitCode, metrics };
    }
    case 'job.failed': {
      const { reason, message, durationMs, exitCode, by } = event.data;
      return { reason, message, durationMs, exitCode, by: by?.who ?? null };
    }
    default:
      return unhandled(event);
  }
}

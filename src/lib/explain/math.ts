import type { Certainty, Decision, EvidencePoint, ObjectiveReport, Policy, Reason, Verdict } from '../judge/index.js';
import type { Actor, CanaryState } from '../ledger/index.js';
import { type CanaryHistory, type Facts, factsOf, hasOwnTimes, verdictOf } from '../readings/index.js';
import { why } from './cause.js';
import { howSure } from './certainty.js';
import { deciders } from './deciders.js';
import { missingReadings } from './missing-readings.js';
import { certificate, isAtEnd, objectiveSentence } from './objective-sentences.js';
import { type Evidence, type Recheck, recheck } from './recheck.js';
import { unknownSentence } from './section.js';

import { oneLine } from './words.js';

/** A question that the judge asks, in its order, with the numbers it compares. */
export interface LogicStep {
  question: string;
  value: number | null;
  limit: number | null;
  answer: boolean;
}

/** The judge's report of an objective, in a sentence, and how far it is certified (see `certificate`). */
export type ObjectiveEvidence = ObjectiveReport & { says: string; certificate: ReturnType<typeof certificate> };

/** Numbers behind a decision. Callers rely on the first six keys; an unknown id has them too, as nulls. */
export interface WhyMath {
  id: string;
  /** Of the judge, or of the person who promoted (`promote`) or ended (`abort`) it; `fail`: it could not be run; of a job its state. */
  decision: Decision | 'abort' | 'fail' | 'unknown' | 'queued' | 'running' | 'completed' | 'failed';
  thresholds: { latency_p95_ms: number | null; max_error_rate: number | null; max_drift: number | null };
  observed: { latency_p95_ms: number | null; error_rate: number | null; drift: number | null };
  /** Seconds from the start of the window to the decision. */
  time_to_action_sec: number | null;
  evidence: ObjectiveEvidence[];
  modelId: string | null;
  fromGate: string | null;
  toGate: string | null;
  state: CanaryState | null;
  dryRun: boolean | null;
  /** Leaves out everything later than this, RFC 3339; null: nothing is left out. */
  asOf: string | null;
  certainty: Certainty | null;
  reason: Reason | null;
  /** The objective that decided. */
  decidedBy: string | null;
  /** The cause in words; for an unknown id, the sentence that says so. */
  why: string | null;
  /** The error promised. */
  promise: string | null;
  alpha: Verdict['alpha'] | null;
  /** Evidence against the canary over all objectives, as a natural logarithm, and where it is acted on. */
  bet: { logE: number; logThreshold: number; path: EvidencePoint[] } | null;
  logic: LogicStep[];
  elapsedSeconds: number | null;
  savedSeconds: number | null;
  ticks: Verdict['ticks'] | null;
  coverage: number | null;
  noData: Verdict['noData'];
  /** What did not answer, served nothing or began anew, and when; null for judge 1. */
  silence: Verdict['silence'] | null;
  assumptions: string[];
  /** A person's decision against or before the judge's. */
  byHand: { by: Actor; reason: string; at: string } | null;
  policy: Policy | null;
  /** Whether the same judge decides the same on the recorded observations. */
  check: Recheck | null;
  /** What a job found; null for everything else. */
  metrics: Record<string, number | string | boolean | null> | null;
}

const UNKNOWN: Omit<WhyMath, 'id' | 'asOf'> = {
  decision: 'unknown',
  thresholds: { latency_p95_ms: null, max_error_rate: null, max_drift: null },
  observed: { latency_p95_ms: null, error_rate: null, drift: null },
  time_to_action_sec: null,
  evidence: [],
  modelId: null,
  fromGate: null,
  toGate: null,
  state: null,
  dryRun: null,
  certainty: null,
  reason: null,
  decidedBy: null,
  why: null,
  promise: null,
  alpha: null,
  bet: null,
  logic: [],
  elapsedSeconds: null,
  savedSeconds: null,
  ticks: null,
  coverage: null,
  noData: null,
  silence: null,
  assumptions: [],
  byHand: null,
  policy: null,
  check: null,
  metrics: null,
};

/** The same shape for an unknown id; pure. */
export function mathUnknown(id: string, asOf: number | null): WhyMath {
  return {
    id,
    ...UNKNOWN,
    why: unknownSentence(id, asOf),
    asOf: asOf === null ? null : new Date(asOf).toISOString(),
  };
}

/** The numbers of a canary, as the judge reported them; pure. */
export function mathOf(history: CanaryHistory, evidence: Evidence): WhyMath {
  const { id, events, interim, asOf } = history;
  const facts = factsOf(id, events);
  const unknown = mathUnknown(id, asOf);
  if (!facts) return unknown;
  const { modelId, fromGate, toGate, policy, dryRun } = facts.requested.data;
  const { latency_p95_ms = null, max_error_rate = null, max_drift = null } = policy.targets;
  const verdict = verdictOf(facts, interim);
  return {
    ...unknown,
    why: null,
    decision: decisionOf(facts),
    thresholds: { latency_p95_ms, max_error_rate, max_drift },
    ...(verdict ? fromVerdict(verdict, policy, evidence) : {}),
    time_to_action_sec: secondsToAction(facts),
    modelId,
    fromGate,
    toGate,
    state: facts.state,
    dryRun,
    byHand: byHand(facts),
    policy,
    check: recheck(facts, evidence),
  };
}

function fromVerdict(verdict: Verdict, policy: Policy, { observations }: Evidence): Partial<WhyMath> {
  const { objectives, evidence, certainty, reason, decidedBy, alpha, elapsedSeconds, savedSeconds } = verdict;
  const { ticks, coverage, noData, silence, assumptions } = verdict;
  const atEnd = isAtEnd(verdict);
  return {
    observed: {
      latency_p95_ms: observed(objectives, 'latency_p95_ms'),
      error_rate: observed(objectives, 'error_rate'),
      drift: observed(objectives, 'drift'),
    },
    evidence: objectives.map((o) => ({
      says: oneLine(
        objectiveSentence(o, atEnd) + (o.type === 'reading' ? missingReadings(o, observations, verdict.tick) : ''),
      ),
      certificate: certificate(o, atEnd),
      ...o,
    })),
    certainty,
    reason,
    decidedBy,
    why: oneLine(why(verdict)),
    promise: howSure(verdict),
    alpha,
    bet: evidence,
    logic: logic(verdict, policy),
    elapsedSeconds,
    savedSeconds,
    ticks,
    coverage,
    noData,
    silence: silence ?? null,
    assumptions,
  };
}

/** The value that is compared with the threshold; null where there is none. */
export function observedValue(o: ObjectiveReport): number | null {
  if (!o.hasData) return null;
  if (o.type === 'reading') return o.last;
  if (o.type === 'drift') return o.value;
  if (o.relative) return o.baseline?.ratio ?? null;
  return o.signal === 'latency' ? (o.latency?.value ?? null) : o.rate;
}

function observed(objectives: readonly ObjectiveReport[], name: string): number | null {
  const found = objectives.find((o) => o.name === name);
  return found ? observedValue(found) : null;
}

function decisionOf({ decided, overridden, forced, aborted, failed }: Facts): WhyMath['decision'] {
  if (overridden || forced) return 'promote';
  if (decided) return decided.data.verdict.decision;
  if (aborted) return 'abort';
  return failed ? 'fail' : 'continue';
}

/** An input has its own times, which cannot be compared with the clock by which somebody ended the canary. */
function secondsToAction(facts: Facts): number | null {
  const { decided, aborted, failed, started } = facts;
  if (decided) return decided.data.verdict.elapsedSeconds;
  const end = aborted ?? failed;
  if (!end || !started || hasOwnTimes(facts)) return null;
  return (Date.parse(end.ts) - started.data.startedAt) / 1000;
}

function byHand({ forced, overridden, aborted }: Facts): WhyMath['byHand'] {
  const event = forced ?? overridden ?? aborted;
  return event && { by: event.data.by, reason: event.data.reason, at: event.ts };
}

/** Limits that a promotion must keep: here a yes means that it does. */
function silenceLogic({ silence }: Verdict): LogicStep[] {
  if (!silence) return [];
  const { availability: a, restarts: r } = silence;
  return [
    ...(a === null
      ? []
      : [{ question: 'promote: share of the checks unanswered', value: a.share, limit: a.limit, answer: !a.exceeded }]),
    ...(r.allowed === null
      ? []
      : [{ question: 'promote: restarts', value: r.canary, limit: r.allowed, answer: r.canary <= r.allowed }]),
  ];
}

function logic(v: Verdict, policy: Policy): LogicStep[] {
  const decide = deciders(v);
  const readings = decide.flatMap((o) => (o.type === 'reading' ? [o] : []));
  const failing = readings.map((o) => o.consecutiveFailing);
  const met = decide.filter((o) => (o.type === 'reading' ? o.met : o.promote.certified)).length;
  const silent = v.noData?.total ? v.noData.seconds : 0;
  const { logE, logThreshold } = v.evidence;
  const over = (question: string, value: number, limit: number): LogicStep => ({
    question,
    value,
    limit,
    answer: value >= limit,
  });
  return [
    ...(readings.length === 0
      ? []
      : [
          {
            ...over('roll back: failing readings in a row', Math.max(...failing), policy.maxConsecutiveFailures),
            answer: readings.some((o) => o.against),
          },
        ]),
    over('roll back: evidence against it (natural logarithm)', logE, logThreshold),
    {
      question: 'hold: the baseline misses the same target',
      value: null,
      limit: null,
      answer: v.reason === 'not_attributable',
    },
    over('act on missing data: seconds without data', silent, policy.noDataSeconds),
    over('window ended: seconds', v.elapsedSeconds, policy.windowSeconds),
    over('promote: share of the window covered by readings', v.coverage, policy.minCoverage),
    over('promote: objectives certified', met, decide.length),
    ...silenceLogic(v),
  ];
}

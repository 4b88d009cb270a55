import type { ArmReading, Missing, Observation } from './observation.js';
import type { Policy } from './policy.js';
import { significant } from './rounding.js';
import type { SilenceReport, SilentSpan } from './verdict.js';

/**
 * When the canary did not answer, did not serve, or began anew, as far as looks tell: a fold beside that of the
 * objectives, because what is silent gives no counts. Looks are few and depend on each other, so nothing here is a bet:
 * what it decides is never certified.
 */
export interface Silence {
  /** Looks at places that were expected to answer, and those of them that did not; looks in which no arm answered are left out. */
  expected: number;
  down: number;
  /** Of `down`, those while the baseline answered. */
  alone: number;
  /** Looks counted in `expected`. */
  looks: number;
  /** Whether the canary has answered at all: one that never did may be looked for in the wrong place. */
  answered: boolean;
  /** Since when no place of the canary has answered while the baseline did, ms since the epoch; null: it answers. */
  aloneSince: number | null;
  /** Whether some place was silent at the newest look that counts. */
  silentNow: boolean;
  /** Most places that were expected at once. */
  places: number;
  baselineAnswered: boolean;
  canary: Restarts;
  baseline: Restarts;
  spans: SilentSpan[];
  /** Spans that were left out. */
  more: number;
  /** Time of the newest look. */
  last: number | null;
}

interface Restarts {
  count: number;
  /** Whether processes were counted; otherwise looks with a counter that began anew. */
  known: boolean;
  served: boolean;
}

const MOST_SPANS = 20;
/** Shorter idle times than this many looks are not worth a line. */
const LEAST_IDLE_LOOKS = 3;
/** A canary is rolled back for silence of no fewer looks, whatever share of a short window they are. */
const LEAST_SILENT_LOOKS = 3;
/** So many times the restarts that a promotion bears are a crash loop. */
const CRASH_LOOP = 3;

export function silenceOf(): Silence {
  return {
    expected: 0,
    down: 0,
    alone: 0,
    looks: 0,
    answered: false,
    aloneSince: null,
    silentNow: false,
    places: 1,
    baselineAnswered: false,
    canary: { count: 0, known: false, served: false },
    baseline: { count: 0, known: false, served: false },
    spans: [],
    more: 0,
    last: null,
  };
}

/** Notes whether the canary answers, from a look before the window. */
export function seeAnswer(s: Silence, { canary }: Observation): void {
  s.answered ||= (answerOf(canary)?.up ?? 0) > 0;
}

/** Folds a look of the window in. */
export function stepSilence(s: Silence, observation: Observation, policy: Policy): void {
  const { canary, t } = observation;
  const baseline = policy.baseline === 'none' ? undefined : observation.baseline;
  const own = answerOf(canary);
  const other = baseline === undefined ? null : answerOf(baseline);
  noteRestarts(s, observation, 'canary');
  if (baseline !== undefined) noteRestarts(s, observation, 'baseline');
  if (other !== null && other.up < other.expected) addSpan(s, observation, 'baseline', 'unanswered', other.why);
  if (own !== null && own.up < own.expected) addSpan(s, observation, 'canary', 'unanswered', own.why);
  noteIdle(s, observation, 'canary', canary);
  if (baseline !== undefined) noteIdle(s, observation, 'baseline', baseline);
  s.baselineAnswered ||= other !== null && other.up > 0;
  if (own !== null) noteAnswer(s, observation, own, other);
  s.last = t;
}

function noteAnswer(s: Silence, { from, t }: Observation, own: Answer, other: Answer | null): void {
  s.answered ||= own.up > 0;
  const silent = own.expected - own.up;
  // Before it first answers it is still starting, or looked for in the wrong place. Without a baseline only a place that
  // refuses to answer is known to be down: series may be missing because of what collects them.
  if (!s.answered || (silent > 0 && other === null && own.inferred && !own.unreachable)) return;
  if (silent > 0 && other !== null && other.up === 0) {
    s.aloneSince = null;
    return;
  }
  s.places = Math.max(s.places, own.expected);
  s.looks++;
  s.expected += own.expected;
  s.down += silent;
  if (other !== null) s.alone += silent;
  s.silentNow = silent > 0;
  s.aloneSince = own.up === 0 && other !== null ? (s.aloneSince ?? s.last ?? Math.min(from, t)) : null;
}

interface Answer {
  expected: number;
  up: number;
  why: string;
  /** Whether it was inferred from signals. */
  inferred: boolean;
  unreachable: boolean;
}

/** Whether an arm answered; null where nothing tells. */
function answerOf(arm: ArmReading): Answer | null {
  const signals = signalsOf(arm);
  const missing = signals.filter((signal): signal is Missing => signal.state !== 'ok');
  if (arm.targets !== undefined && arm.targets.expected > 0) {
    const { expected, up } = arm.targets;
    const why = expected === 1 ? words(missing) : `${expected - up} of ${expected} places did not answer`;
    return { expected, up, why, inferred: false, unreachable: up < expected };
  }
  const told = signals.filter(({ state }) => state !== 'no_source');
  if (told.length === 0 || told.some(({ state }) => state === 'ended' || state === 'refused')) return null;
  const down = told.every(({ state }) => state === 'unreachable' || state === 'absent' || state === 'stale');
  const unreachable = down && told.some(({ state }) => state === 'unreachable');
  return { expected: 1, up: down ? 0 : 1, why: words(missing), inferred: true, unreachable };
}

function signalsOf({ errors, latency, score, categories, histograms = {} }: ArmReading) {
  return [errors, latency, score, categories, ...Object.values(histograms)].filter((signal) => signal !== undefined);
}

/** The first reason that has details, `unreachable` before all others. */
function words(missing: readonly Missing[]): string {
  const found =
    missing.find(({ state }) => state === 'unreachable') ?? missing.find(({ detail }) => detail) ?? missing[0];
  if (found === undefined) return 'no answer';
  return found.detail ? `${found.state}: ${found.detail}` : found.state;
}

function noteRestarts(s: Silence, observation: Observation, arm: 'canary' | 'baseline'): void {
  const reading = observation[arm];
  if (reading === undefined) return;
  const restarts = s[arm];
  restarts.known ||= reading.restarts !== undefined;
  // Each counter of a process that began anew is reset: together they are one restart.
  const anew = reading.restarts ?? ((reading.resets ?? 0) > 0 ? 1 : 0);
  if (anew === 0) return;
  restarts.count += anew;
  const why =
    reading.restarts === undefined
      ? 'counters were reset'
      : `${anew === 1 ? 'a process' : `${anew} processes`} restarted`;
  addSpan(s, observation, arm, 'restart', why);
}

function noteIdle(s: Silence, observation: Observation, name: 'canary' | 'baseline', arm: ArmReading): void {
  const requests = requestsIn(arm);
  if (requests === 0 && s[name].served) {
    addSpan(s, observation, name, 'idle', 'no requests');
    return;
  }
  if (requests !== null) s[name].served ||= requests > 0;
  const at = s.spans.findLastIndex((span) => span.arm === name && span.kind === 'idle');
  const idle = s.spans[at];
  if (idle !== undefined && idle.to === s.last && idle.checks < LEAST_IDLE_LOOKS) s.spans.splice(at, 1);
}

/** Requests that an arm counted in a look; null where it counted none at all. */
function requestsIn({ errors, latency }: ArmReading): number | null {
  if (errors?.state === 'ok') return errors.total;
  if (latency?.state === 'ok') return latency.counts.reduce((sum, count) => sum + count, 0);
  return null;
}

/** Continues the newest span of the same kind, where it reaches up to this look. */
function addSpan(
  s: Silence,
  { from, t }: Observation,
  arm: SilentSpan['arm'],
  kind: SilentSpan['kind'],
  why: string,
): void {
  const same = s.spans.findLast((span) => span.arm === arm && span.kind === kind);
  if (same !== undefined && same.to === s.last && same.why === why) {
    same.to = t;
    same.checks++;
    return;
  }
  // Idle looks that are few are not told at all.
  if (s.spans.length >= MOST_SPANS) s.more += kind === 'idle' ? 0 : 1;
  else s.spans.push({ arm, kind, from: s.last ?? from, to: t, checks: 1, why });
}

/** Largest number of restarts with which it may be promoted: each place but one may begin anew once more, as in a rolling deploy. */
function allowedRestarts(s: Silence, maxRestarts: number): number {
  return maxRestarts + s.places - 1;
}

/** Whether more looks went unanswered than the policy bears in `planned` looks; one look alone is chance. */
function isBeyond(s: Silence, down: number, limit: number, planned: number): boolean {
  if (s.looks === 0) return false;
  const places = s.expected / s.looks;
  return down > limit * Math.max(s.expected, planned * places) + 1e-9 && (limit === 0 || down > places);
}

/** What silence forbids a promotion; null: nothing. Known restarts come first: they explain what counters cannot. */
export function forbids(s: Silence, policy: Policy): 'unavailable' | 'restarts' | null {
  const { max_unavailable: limit } = policy.targets;
  if (limit !== undefined && !isReportOnly(policy) && isBeyond(s, s.down, limit, 0)) return 'unavailable';
  const most = policy.maxRestarts;
  return most !== undefined && s.canary.count > allowedRestarts(s, most) ? 'restarts' : null;
}

/**
 * What of the canary's silence rolls it back: it does not answer while its baseline does, for longer than the policy bears
 * in the whole window, or for `noDataSeconds`; or it begins anew over and over while its baseline does not.
 * @param planned looks of the whole window
 */
export function rollsBack(s: Silence, policy: Policy, planned: number, now: number): 'unavailable' | 'restarts' | null {
  const { max_unavailable: limit } = policy.targets;
  if (limit !== undefined && limit < 1 && !isReportOnly(policy) && s.silentNow) {
    const long = s.aloneSince !== null && (now - s.aloneSince) / 1000 >= policy.noDataSeconds;
    const lasting = s.looks > 0 && s.alone >= (LEAST_SILENT_LOOKS * s.expected) / s.looks;
    if (long || (lasting && isBeyond(s, s.alone, limit, planned))) return 'unavailable';
  }
  const most = policy.maxRestarts;
  if (most === undefined || !s.canary.known || !s.baselineAnswered) return null;
  const allowed = Math.max(1, allowedRestarts(s, most));
  return s.canary.count >= CRASH_LOOP * allowed && s.baseline.count * CRASH_LOOP <= s.canary.count ? 'restarts' : null;
}

function isReportOnly({ reportOnly = [] }: Policy): boolean {
  return reportOnly.includes('availability');
}

/** Everything an explanation shows of it. */
export function silenceReport(s: Silence, policy: Policy): Omit<SilenceReport, 'idle'> {
  const { max_unavailable: limit } = policy.targets;
  return {
    availability:
      limit === undefined
        ? null
        : {
            limit,
            expected: s.expected,
            down: s.down,
            share: s.expected > 0 ? significant(s.down / s.expected) : null,
            whileBaselineAnswered: s.alone,
            exceeded: isBeyond(s, s.down, limit, 0),
            ...(isReportOnly(policy) ? { reportOnly: true as const } : {}),
          },
    restarts: {
      canary: s.canary.count,
      baseline: s.baseline.count,
      allowed: policy.maxRestarts === undefined ? null : allowedRestarts(s, policy.maxRestarts),
      from: s.canary.known ? 'processes' : 'resets',
    },
    spans: s.spans.map((span) => ({ ...span })),
    more: s.more,
  };
}

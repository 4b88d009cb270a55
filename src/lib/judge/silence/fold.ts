import type { ArmReading, Observation } from '../observation.js';
import type { Policy } from '../policy.js';
import type { SilentSpan } from '../verdict.js';
import { type Answer, answerOf } from './answer.js';

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
  /** Whether the canary has answered at all. */
  answered: boolean;
  /** Looks before its first answer; those of them at which the baseline answered, and whether the newest is one of those. */
  awaited: { looks: number; alone: number; now: boolean };
  /** Looks of which the canary left some place silent, without those that only repeat the one before. */
  failures: number;
  /** Since when no place of the canary has answered while the baseline did, ms since the epoch; null: it answers. */
  aloneSince: number | null;
  /** Whether some place was silent at the newest look that counts. */
  silentNow: boolean;
  /** Whether no place answered the newest look, whoever else did not. */
  downNow: boolean;
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

export function silenceOf(): Silence {
  return {
    expected: 0,
    down: 0,
    alone: 0,
    looks: 0,
    answered: false,
    awaited: { looks: 0, alone: 0, now: false },
    failures: 0,
    aloneSince: null,
    silentNow: false,
    downNow: false,
    places: 1,
    baselineAnswered: false,
    canary: { count: 0, known: false, served: false },
    baseline: { count: 0, known: false, served: false },
    spans: [],
    more: 0,
    last: null,
  };
}

/** Notes whether the canary answers, from a look before the window: of those, the newest alone counts. */
export function seeAnswer(s: Silence, observation: Observation, policy: Policy): void {
  const { canary, baseline } = observation;
  const own = answerOf(canary);
  s.answered ||= (own?.up ?? 0) > 0;
  s.awaited = { looks: 0, alone: 0, now: false };
  const other = policy.baseline === 'none' || baseline === undefined ? null : answerOf(baseline);
  noteAwaited(s, isDown(own, observation), other);
}

/** Whether no place of the canary answered. Where only its counters are not there, a reading of it shows that it is. */
function isDown(own: Answer | null, { scalars = {} }: Observation): boolean {
  if (own === null || own.up > 0) return false;
  return !(own.inferred && Object.values(scalars).some(({ state }) => state === 'ok'));
}

function noteAwaited(s: Silence, isDown: boolean, other: Answer | null): void {
  s.awaited.now = !s.answered && isDown && other !== null && other.up > 0;
  if (s.answered) return;
  s.awaited.looks++;
  if (s.awaited.now) s.awaited.alone++;
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
  s.answered ||= own !== null && own.up > 0;
  s.downNow = isDown(own, observation);
  noteAwaited(s, s.downNow, other);
  if (own !== null) noteAnswer(s, observation, own, other);
  s.last = t;
}

function noteAnswer(s: Silence, { from, t }: Observation, own: Answer, other: Answer | null): void {
  const silent = own.expected - own.up;
  // Before it first answers it may still be starting: that is judged apart (`neverAnswered`). Without a baseline only a place that
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
  // Between two scrapes a failed one is seen at each look.
  if (silent > 0 && !(own.unchanged && s.silentNow)) s.failures++;
  if (other !== null) s.alone += silent;
  s.silentNow = silent > 0;
  s.aloneSince = own.up === 0 && other !== null ? (s.aloneSince ?? s.last ?? Math.min(from, t)) : null;
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

import type { Missing, Observation } from './observation.js';
import type { Policy } from './policy.js';
import { judgeVersionOf } from './version.js';

/** How much of the window one objective has seen, and why it sees nothing now. */
export interface Coverage {
  coveredMs: number;
  /** End of what is covered; also set by a starting point. Null before the first. */
  mark: number | null;
  /** When there last was data, or a starting point; null: never. */
  lastAt: number | null;
  /** Whether an increment was ever seen (a starting point is none). */
  hasData: boolean;
  /** Whether any request was ever seen. */
  served: boolean;
  /** End of the looks without a single request since the mark; null: the newest look with data had requests. */
  idleUntil: number | null;
  /** Longest time without a request that ended with one, ms. */
  longestPauseMs: number;
  /** Since when the looks without data only had nothing newer to read: what comes next covers them. Null: they do not. */
  unchangedSince: number | null;
  /** State of the newest tick's signal when it had no data. */
  missing: Missing | null;
}

export function coverage(): Coverage {
  return {
    coveredMs: 0,
    mark: null,
    lastAt: null,
    hasData: false,
    served: false,
    idleUntil: null,
    longestPauseMs: 0,
    unchangedSince: null,
    missing: null,
  };
}

/**
 * Takes a look with data in. A time without requests is covered when requests come again: until then nothing was seen
 * of how the canary serves them. After a counter was reset the increment tells of the time since, not of all of it.
 * @param requests served within the look; null for a reading without counts
 */
export function noteData(c: Coverage, observation: Observation, requests: number | null, policy: Policy): void {
  const { t } = observation;
  // Between two samples of a source there is nothing newer; judge 1 took that for time that nobody saw.
  const from = Math.min(observation.from, (judgeVersionOf(policy) > 1 ? c.unchangedSince : null) ?? observation.from);
  c.unchangedSince = null;
  c.lastAt = t;
  c.hasData = true;
  c.missing = null;
  c.mark ??= from;
  if (requests === 0 && c.served) {
    c.idleUntil = t;
    return;
  }
  const idle = c.idleUntil !== null && from <= c.idleUntil;
  if (c.idleUntil !== null) c.longestPauseMs = Math.max(c.longestPauseMs, c.idleUntil - c.mark);
  let begin = idle ? c.mark : Math.max(c.mark, from);
  if ((observation.canary.resets ?? 0) > 0) begin = Math.max(begin, t - policy.intervalSeconds * 1000);
  c.coveredMs += Math.max(0, t - begin);
  c.mark = t;
  c.idleUntil = null;
  c.served ||= requests !== 0;
}

export function noteMissing(c: Coverage, observation: Observation, missing: Missing): void {
  // A starting point proves the source alive, though it says nothing of the canary yet.
  if (missing.state === 'first') {
    c.mark = observation.t;
    c.lastAt = observation.t;
  }
  if (missing.state !== 'unchanged') c.unchangedSince = null;
  else c.unchangedSince ??= (c.missing === null ? c.mark : null) ?? observation.from;
  c.missing = missing;
}

/** Whether the source says with this observation that nothing more will come: no look, only the end of them. */
export function endsInput({ canary: { errors, latency, score } }: Observation): boolean {
  return errors?.state === 'ended' || latency?.state === 'ended' || score?.state === 'ended';
}

/** The state in words, e.g. `absent: model_score_bucket`. */
export function missingInWords(missing: Missing | null): string | null {
  if (!missing) return null;
  return missing.detail ? `${missing.state}: ${missing.detail}` : missing.state;
}

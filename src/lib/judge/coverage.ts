import type { Missing, Observation } from './observation.js';

/** How much of the window one objective has seen, and why it sees nothing now. */
export interface Coverage {
  coveredMs: number;
  /** End of what is covered; also set by a starting point. Null before the first. */
  mark: number | null;
  /** When there last was data, or a starting point; null: never. */
  lastAt: number | null;
  /** Whether an increment was ever seen (a starting point is none). */
  hasData: boolean;
  /** State of the newest tick's signal when it had no data. */
  missing: Missing | null;
}

export function coverage(): Coverage {
  return { coveredMs: 0, mark: null, lastAt: null, hasData: false, missing: null };
}

export function noteData(c: Coverage, observation: Observation): void {
  const begin = c.mark === null ? observation.from : Math.max(c.mark, observation.from);
  c.coveredMs += Math.max(0, observation.t - begin);
  c.mark = observation.t;
  c.lastAt = observation.t;
  c.hasData = true;
  c.missing = null;
}

export function noteMissing(c: Coverage, observation: Observation, missing: Missing): void {
  // A starting point proves the source alive, though it says nothing of the canary yet.
  if (missing.state === 'first') {
    c.mark = observation.t;
    c.lastAt = observation.t;
  }
  c.missing = missing;
}

/** Whether the source says with this observation that nothing more will come: no look, only the end of them. */
export function endsInput({ canary }: Observation): boolean {
  return Object.values(canary).some((signal) => typeof signal === 'object' && signal.state === 'ended');
}

/** The state in words, e.g. `absent: model_score_bucket`. */
export function missingInWords(missing: Missing | null): string | null {
  if (!missing) return null;
  return missing.detail ? `${missing.state}: ${missing.detail}` : missing.state;
}

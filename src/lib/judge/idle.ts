import { deciding, type Judgement } from './judgement.js';
import { nameOf, servedBy } from './objectives/index.js';
import { significant } from './rounding.js';
import type { SilenceReport } from './verdict.js';

/** Share of the time since the start, and looks, without a request from which on an end counts as silent. */
const SILENT_SHARE = 0.1;
const SILENT_LOOKS = 3;
/** So long an end is silent whatever pauses there were before. */
const CERTAIN_SHARE = 0.25;
/** Requests that would have come in that time at the rate so far: with so many, none at all is no chance (e^-10). */
const LEAST_EXPECTED = 10;

/**
 * The objective whose requests have stopped: none at the end, where at the rate before at least ten would have come, for
 * longer than in any pause before. A service with little traffic has such ends by chance, and they do not count.
 */
export function idleEnd(j: Judgement, now: number): SilenceReport['idle'] {
  if (j.version === 1) return null;
  const whole = now - j.startedAt;
  const least = Math.max(whole * SILENT_SHARE, SILENT_LOOKS * j.policy.intervalSeconds * 1000);
  for (const o of deciding(j)) {
    const { idleUntil, mark, longestPauseMs } = o.coverage;
    const served = servedBy(o);
    if (served === null || idleUntil === null || mark === null || mark <= j.startedAt) continue;
    const quiet = idleUntil - mark;
    const expected = (served / (mark - j.startedAt)) * quiet;
    const unusual = quiet > longestPauseMs || quiet >= whole * CERTAIN_SHARE;
    if (quiet < least || expected < LEAST_EXPECTED || !unusual) continue;
    return { objective: nameOf(o), since: mark, seconds: significant(quiet / 1000), expected: significant(expected) };
  }
  return null;
}

import type { Policy } from '../judge/policy.js';

/**
 * When the next look is due, from stored state alone: looks fall on whole intervals after the start, and one falls on
 * the end of the window and on its latest end.
 * @param lastAt time of the newest observation, ms since the epoch
 */
export function nextDue(policy: Policy, startedAt: number, lastAt: number): number {
  const interval = policy.intervalSeconds * 1000;
  const regular = startedAt + (Math.floor((lastAt - startedAt) / interval) + 1) * interval;
  const ends = [policy.windowSeconds, policy.maxWindowSeconds].map((s) => startedAt + s * 1000);
  return Math.min(regular, ...ends.filter((end) => end > lastAt));
}

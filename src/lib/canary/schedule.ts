import { type Policy, windowBegins } from '../judge/index.js';

/**
 * When the next look is due, from stored state alone: looks fall on whole intervals after the start, and one falls on
 * the end of a warm-up, the end of the window and its latest end.
 * @param lastAt time of the newest observation, ms since the epoch
 */
export function nextDue(policy: Policy, startedAt: number, lastAt: number): number {
  const interval = policy.intervalSeconds * 1000;
  const whole = Math.floor((lastAt - startedAt) / interval);
  // k intervals are not always k when divided back: a look on the grid must not be due again at once.
  const onGrid = (n: number) => Math.round(startedAt + n * interval);
  const regular = onGrid(whole + 1) > lastAt ? onGrid(whole + 1) : onGrid(whole + 2);
  const begins = windowBegins(policy, startedAt);
  const ends = [0, policy.windowSeconds, policy.maxWindowSeconds].map((s) => begins + s * 1000);
  return Math.min(regular, ...ends.filter((end) => end > lastAt));
}

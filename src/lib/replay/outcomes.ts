import type { Outcome } from './result.js';

/** How often each outcome came; every outcome is there. */
export function countOutcomes(outcomes: readonly Outcome[]): Record<Outcome, number> {
  const counts: Record<Outcome, number> = { promote: 0, rollback: 0, block: 0, insufficient: 0 };
  for (const outcome of outcomes) counts[outcome]++;
  return counts;
}

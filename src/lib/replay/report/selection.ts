import type { CanaryReplay, CanarySeries } from '../result.js';

/** With more canaries in detail nobody reads the page, and browsers open it slowly. */
const MOST_IN_DETAIL = 50;

const rankOf = ({ flips }: CanaryReplay) => (flips === true ? 0 : flips === null ? 1 : 2);

/** Decisions that change come first when there are too many; they are shown in the order of the result. */
export function inDetail(canaries: readonly CanaryReplay[]): CanaryReplay[] {
  if (canaries.length <= MOST_IN_DETAIL) return [...canaries];
  const chosen = new Set([...canaries].sort((a, b) => rankOf(a) - rankOf(b)).slice(0, MOST_IN_DETAIL));
  return canaries.filter((canary) => chosen.has(canary));
}

/** Observations of the canaries that a report shows in detail, and of no others: all of them may not fit in memory. */
export class DetailSeries {
  readonly #kept: { rank: number; series: CanarySeries }[] = [];

  /** In the order of the result. */
  add(canary: CanaryReplay, observations: CanarySeries['observations']): void {
    const rank = rankOf(canary);
    const kept = this.#kept;
    if (kept.length === MOST_IN_DETAIL) {
      const worst = Math.max(...kept.map((each) => each.rank));
      if (rank >= worst) return;
      // Of those that matter least the last one goes.
      kept.splice(
        kept.findLastIndex((each) => each.rank === worst),
        1,
      );
    }
    kept.push({ rank, series: { canaryId: canary.canaryId, observations } });
  }

  get series(): CanarySeries[] {
    return this.#kept.map(({ series }) => series);
  }
}

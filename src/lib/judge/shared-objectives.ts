import type { Judgement } from './judgement.js';
import type { CountedObjective, ReadingObjective } from './objectives/index.js';
import type { Policy } from './policy.js';

/**
 * Lets a judgement borrow those objectives of another that are the same fold over the same observations, so that they
 * are computed once (changes `borrower`). Both must be fresh, and be given the same observations, `owner` always first.
 */
export function borrowObjectives(borrower: Judgement, owner: Judgement): void {
  if (borrower.startedAt !== owner.startedAt || foldOf(borrower.policy) !== foldOf(owner.policy)) return;
  const mine = borrower.objectives;
  const borrowed = new Set<object>();
  const orOwn = <T extends object>(own: T, lent: T | undefined): T => {
    if (lent !== undefined) borrowed.add(lent);
    return lent ?? own;
  };
  const counted = keyed(owner.objectives.counted, askedOf);
  const custom = keyed(owner.objectives.custom, ruleOf);
  mine.counted = mine.counted.map((o) => orOwn(o, counted.get(askedOf(o))));
  mine.custom = mine.custom.map((o) => orOwn(o, custom.get(ruleOf(o))));
  mine.borrowed = borrowed;
}

/** From here on the borrower steps them itself: their owner has come to its end, and has been reported. */
export function takeOverObjectives({ objectives }: Judgement): void {
  objectives.borrowed = null;
}

/** All of a policy that the folding of an objective reads, and that is not its own. */
function foldOf({ intervalSeconds, maxWindowSeconds, baseline, alpha, designEffect, ...rest }: Policy): string {
  return JSON.stringify([
    intervalSeconds,
    maxWindowSeconds,
    baseline,
    alpha.rollback,
    designEffect.batchSize,
    designEffect.estimate,
    rest.maxConsecutiveFailures,
  ]);
}

function askedOf({ counted, scalar }: CountedObjective): string {
  const asked = counted.type === 'rate' ? counted.spec : { drift: counted.target };
  return JSON.stringify([asked, scalar?.rule ?? null]);
}

function ruleOf({ rule }: ReadingObjective): string {
  return JSON.stringify(rule);
}

function keyed<T>(all: readonly T[], key: (one: T) => string): Map<string, T> {
  return new Map(all.map((one) => [key(one), one]));
}

import type { LeftOut } from '../../judge/index.js';
import type { Signals } from '../signals/index.js';
import type { ProcessStep } from './advance.js';
import type { ArmCursor } from './cursor.js';
import { sumHistograms } from './histogram.js';
import { DRIFT, type Plan } from './plan.js';

interface Counting {
  plan: Plan;
  signals: Signals;
}

/** What counters of some processes rose by and is in no signal; null: nothing. */
export function leftOf(steps: readonly ProcessStep[], { plan, signals }: Counting): LeftOut | null {
  const sumOf = (terms: readonly number[]): number => {
    let sum = 0;
    for (const { look } of steps)
      for (const term of terms) for (const { left } of look.terms[term]!) sum += plan.terms[term]!.sign * left;
    return Math.max(0, sum);
  };
  const left: LeftOut = {};
  if (signals.requests !== null && signals.errors !== null) {
    const total = sumOf(plan.requests);
    if (total > 0) left.errors = { bad: Math.min(total, sumOf(plan.errors)), total };
  }
  plan.histograms.forEach(({ signal }, i) => {
    const merged = sumHistograms(steps.flatMap(({ histograms }) => histograms[i]?.left ?? []));
    if (signal !== DRIFT && merged?.sum.counts.some((count) => count > 0))
      left.histograms = { ...left.histograms, [signal]: merged.sum };
  });
  return Object.keys(left).length === 0 ? null : left;
}

/** Several of them together; null: nothing. */
function addLeft(all: readonly LeftOut[]): LeftOut | null {
  if (all.length === 0) return null;
  const sum: LeftOut = {};
  const errors = all.flatMap((left) => left.errors ?? []);
  if (errors.length > 0)
    sum.errors = {
      bad: errors.reduce((bad, one) => bad + one.bad, 0),
      total: errors.reduce((total, one) => total + one.total, 0),
    };
  for (const name of new Set(all.flatMap(({ histograms = {} }) => Object.keys(histograms)))) {
    const merged = sumHistograms(all.flatMap(({ histograms = {} }) => histograms[name] ?? []));
    if (merged !== null) sum.histograms = { ...sum.histograms, [name]: merged.sum };
  }
  return sum;
}

/** What waits for the next look: a process may go on as it does, or have begun anew (written into its cursor). */
export function setWaiting(steps: readonly ProcessStep[], cursor: ArmCursor, counting: Counting): void {
  for (const step of steps) {
    if (!isHeld(step)) continue;
    const left = leftOf([step], counting);
    if (left !== null) cursor.processes[step.look.id] = { ...cursor.processes[step.look.id]!, waiting: left };
  }
}

/** What is in no signal of this look, nor will be in one of a later: it is not certain whose it is, or of when. */
export function leftOut(steps: readonly ProcessStep[], previous: ArmCursor | null, counting: Counting): LeftOut | null {
  const own = leftOf(
    steps.filter((step) => !isHeld(step)),
    counting,
  );
  const dropped = steps.flatMap(({ look, verdict }) =>
    verdict?.dropped ? (previous?.processes[look.id]?.waiting ?? []) : [],
  );
  return addLeft([...(own === null ? [] : [own]), ...dropped]);
}

/** What is in no signal yet, of this look and of earlier ones. */
export function waitingIn({ processes, settling, doubtful = 0 }: ArmCursor): LeftOut | null {
  const open = settling?.open;
  // What looks like a failure and is not selected as one: only a person can tell, and until then either may be true.
  const unclear = doubtful > 0 ? [{ errors: { bad: doubtful, total: doubtful } }] : [];
  const waiting = Object.values(processes).flatMap((process) => process.waiting ?? []);
  return addLeft([...waiting, ...unclear, ...(open !== undefined && open.bad > 0 ? [{ errors: open }] : [])]);
}

function isHeld({ verdict }: ProcessStep): boolean {
  return verdict?.kind === 'held' || verdict?.kind === 'again';
}

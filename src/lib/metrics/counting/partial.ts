import type { Missing } from '../../judge/index.js';
import type { ProcessStep } from './advance.js';
import type { ArmCursor } from './cursor.js';
import type { Plan } from './plan.js';

/**
 * Of `total - good` each request looks like a failure where `good` is not shown that was before: a page is written while it is
 * collected, or without one of its workers. What is counted waits until it is back.
 */
export function partialOf({
  steps,
  cursor,
  plan,
}: {
  steps: readonly ProcessStep[];
  cursor: ArmCursor;
  plan: Plan;
}): Missing | null {
  if (!plan.subtracts) return null;
  const takenOff = [...plan.requests, ...plan.errors].flatMap((term) => {
    const { sign, selector } = plan.terms[term]!;
    return sign === -1 ? [selector.name] : [];
  });
  // Of each process by itself: that another one shows its own says nothing of this one's.
  const away = steps.flatMap(({ look }) => cursor.processes[look.id]?.away ?? []);
  const missing = away.find((key) => takenOff.includes(nameOf(key)));
  if (missing === undefined) return null;
  const detail = `${missing} was there before and is not now: without it, nobody knows how many requests failed`;
  return { state: 'unstable', detail };
}

/**
 * Whether a process that counts on shows some of the requests for the first time, at a number that cannot be new, beside
 * failures: what it counted since the last look is that of the others alone, and all of those may have failed.
 */
export function startsAmong({ look, verdict }: ProcessStep, plan: Plan): boolean {
  if (verdict?.kind !== 'count') return false;
  const needed = [...plan.requests, ...plan.errors.filter((term) => plan.terms[term]!.sign === -1)];
  const starts = needed.some((term) => look.terms[term]!.some(({ good, delta }) => good && delta === null));
  if (!starts) return false;
  const failed = plan.errors.flatMap((term) =>
    look.terms[term]!.map(({ delta }) => plan.terms[term]!.sign * (delta ?? 0)),
  );
  return failed.reduce((all, one) => all + one, 0) > 0;
}

function nameOf(key: string): string {
  return key.slice(0, key.indexOf('{'));
}

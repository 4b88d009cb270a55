import type { Signals } from '../signals/index.js';
import type { ProcessStep } from './advance.js';
import type { ArmCursor } from './cursor.js';
import { unselectedFailure } from './failures.js';
import type { Plan } from './plan.js';

interface Counting {
  steps: readonly ProcessStep[];
  cursor: ArmCursor;
  signals: Signals;
  plan: Plan;
  notes: string[];
}

/** Adds up requests that look like failures and are selected as none: they may have failed, and a note tells which. */
export function doubtIn({ steps, cursor, signals, plan, notes }: Counting): void {
  let rose = 0;
  for (const { look, verdict } of steps) {
    for (const term of plan.requests) {
      if (plan.terms[term]!.sign === -1) continue;
      for (const { sample, delta } of look.terms[term]!) {
        const shown = unselectedFailure(sample, signals);
        if (shown === null) continue;
        notes.push(`${shown} looks like a failure, and errors do not select it`);
        if (verdict !== null) rose += delta ?? 0;
      }
    }
  }
  if (rose > 0) cursor.doubtful = (cursor.doubtful ?? 0) + rose;
}

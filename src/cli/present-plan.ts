import { planLines } from '../lib/explain/index.js';
import type { PlanReport } from '../lib/judge/index.js';
import { block, type Styled } from './screen.js';

/** The plan in words. */
export function presentPlan(plan: PlanReport): Styled {
  return block(planLines(plan));
}

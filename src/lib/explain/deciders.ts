import type { ObjectiveReport, Verdict } from '../judge/index.js';

/** The objectives that decide: all but those that the policy only has reported. Pure. */
export function deciders({ objectives }: Pick<Verdict, 'objectives'>): ObjectiveReport[] {
  return objectives.filter((o) => !o.reportOnly);
}

import type { Observation, Policy } from '../judge/index.js';
import { outcomeUnder } from './outcome-under.js';
import type { Recording } from './recording.js';
import type { Outcome } from './result.js';

/** Policies of a sweep, one a cell, for each of the policies that they were made from. */
export type CellPolicies = readonly (readonly Policy[])[];

/** One canary to be judged under every cell; plain data, as it goes to a worker. */
export interface SweepTask extends Pick<Recording, 'own' | 'startedAt' | 'askedByOwn'> {
  /** Index into CellPolicies. */
  base: number;
  lines: readonly string[];
  /** First cell to judge, and the one after the last. */
  cells: readonly [number, number];
}

/** What every cell decides, task by task. */
export function judgeTasks(cells: CellPolicies, tasks: readonly SweepTask[]): Outcome[][] {
  return tasks.map(({ base, lines, cells: [from, to], ...judged }) => {
    const observations = lines.map((line) => JSON.parse(line) as Observation);
    const policies = (cells[base] ?? []).slice(from, to);
    return policies.map((policy) => outcomeUnder(policy, judged, observations));
  });
}

import type { Missing } from '../../judge/index.js';
import { showLabels } from '../labels.js';
import { type Selector, showSelector } from '../promql/index.js';
import type { Sample } from '../signals/index.js';
import type { ProcessStep } from './advance.js';
import { countProblem } from './histogram.js';

export interface Sum {
  increment: number;
  missing: Missing | null;
}

/** What counted for one signal over all processes. */
export interface Tally {
  counted: number;
  started: number;
  /** Whether all that counted are of processes that began within the run. */
  fresh: boolean;
  broken: Missing[];
  /** Whether what is broken is only put off to the next look. */
  waits: boolean;
}

export const nothingYet = (): Tally => ({ counted: 0, started: 0, fresh: true, broken: [], waits: false });

/** Adds what became of one process. @param alone whether it is the only one: then messages need not name it */
export function tell(tally: Tally, { look, verdict }: ProcessStep, counted: boolean, alone: boolean): void {
  if (verdict === null) return;
  const { kind, missing } = verdict;
  if (missing !== undefined) {
    const detail = missing.detail ?? missing.state;
    tally.broken.push({
      ...missing,
      detail: alone || detail.includes(look.shown) ? detail : `${look.shown}: ${detail}`,
    });
  }
  if (kind === 'held') tally.waits = true;
  if (counted && kind !== 'zero') tally.fresh = false;
}

/** Why a sample cannot be counted with, where nothing is wrong with its number because it is given twice. */
export function problemOf({ name, labels, value }: Sample): Missing {
  const shown = `${name}${showLabels(labels)}`;
  const problem = countProblem(value);
  return { state: 'invalid', detail: problem === null ? `${shown} is given twice` : `${shown} is ${problem}` };
}

/** `name`, or `name{...}` where it has matchers. */
export function showShort(selector: Selector): string {
  return selector.matchers.length === 0 ? selector.name : showSelector(selector);
}

/** Newest timestamp, or null when a sample has none. */
export function newestOf(samples: readonly Sample[]): number | null {
  let newest: number | null = null;
  for (const { t } of samples) {
    if (t === undefined) return null;
    if (newest === null || t > newest) newest = t;
  }
  return newest;
}

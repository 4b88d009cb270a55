import { type Matcher, type Selector, selectsAmong, showSelector } from '../promql/index.js';
import type { HistogramSource, Signals } from '../signals/index.js';

/** Name of the gauge that says when a process began, in seconds since the epoch. */
export const PROCESS_START = 'process_start_time_seconds';

/** One selector of a counter expression, or what drift counts. */
export interface Term {
  sign: 1 | -1;
  selector: Selector;
}

export interface HistogramPlan {
  /** Key in cursors and readings. */
  signal: string;
  /** What messages call it. */
  shown: string;
  source: HistogramSource;
}

type Use = { matchers: readonly Matcher[] } & (
  | { kind: 'term'; index: number }
  | { kind: 'histogram'; index: number }
  | { kind: 'gauge' }
);

/** What each sample is for, by its name. */
export interface Plan {
  terms: readonly Term[];
  requests: readonly number[];
  errors: readonly number[];
  /** Of the errors: those that do not stand for all requests, as the first one of `total - good` does. */
  failures: readonly number[];
  drift: number | null;
  histograms: readonly HistogramPlan[];
  byName: ReadonlyMap<string, readonly Use[]>;
  /**
   * Whether one counter is subtracted from another: then the order of reading can make a failure out of nothing. Not where
   * what is subtracted are series of what it is subtracted from, as each is read once.
   */
  subtracts: boolean;
}

/** Key of the drift's histogram, which no histogram of the user's can have. */
export const DRIFT = 'drift()';

const plans = new WeakMap<Signals, Plan>();

export function planOf(signals: Signals): Plan {
  const known = plans.get(signals) ?? makePlan(signals);
  plans.set(signals, known);
  return known;
}

function makePlan({ requests, errors, histograms, drift, inflight }: Signals): Plan {
  const byName = new Map<string, Use[]>();
  const use = (name: string, one: Use): void => void (byName.get(name)?.push(one) ?? byName.set(name, [one]));
  const terms: Term[] = [];
  const addTerm = (term: Term): number => {
    const { name, matchers } = term.selector;
    use(name, { kind: 'term', index: terms.length, matchers });
    return terms.push(term) - 1;
  };
  const plan: HistogramPlan[] = [];
  const addHistogram = (signal: string, shown: string, source: HistogramSource): void => {
    for (const name of [`${source.name}_bucket`, `${source.name}_count`])
      use(name, { kind: 'histogram', index: plan.length, matchers: source.matchers });
    plan.push({ signal, shown, source });
  };
  const parts = {
    requests: requests?.terms.map(addTerm) ?? [],
    errors: errors?.terms.map(addTerm) ?? [],
    drift: drift?.kind === 'categories' ? addTerm({ sign: 1, selector: drift.counts }) : null,
  };
  for (const [name, source] of Object.entries(histograms)) addHistogram(name, name, source);
  if (drift?.kind === 'histogram') addHistogram(DRIFT, 'score', drift.histogram);
  if (inflight !== null) use(inflight.name, { kind: 'gauge', matchers: inflight.matchers });
  const subtracts = [parts.requests, parts.errors].some((sum) => isOfTwo(sum.map((index) => terms[index]!)));
  return { ...parts, failures: failuresOf(parts, terms), terms, histograms: plan, byName, subtracts };
}

function isOfTwo(terms: readonly Term[]): boolean {
  const added = terms.filter(({ sign }) => sign === 1);
  return terms.some(
    ({ sign, selector }) => sign === -1 && !added.some((term) => selectsAmong(selector, term.selector)),
  );
}

function failuresOf({ requests, errors }: Pick<Plan, 'requests' | 'errors'>, terms: readonly Term[]): number[] {
  if (errors.every((index) => terms[index]!.sign === 1)) return [...errors];
  const all = new Set(requests.map((index) => showSelector(terms[index]!.selector)));
  return errors.filter((index) => !all.has(showSelector(terms[index]!.selector)));
}

/** Names of all series that `countArm` looks at. */
export function seriesNames(signals: Signals): string[] {
  return [...planOf(signals).byName.keys(), PROCESS_START];
}

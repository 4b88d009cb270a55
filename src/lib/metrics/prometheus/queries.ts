import { isDeepStrictEqual } from 'node:util';
import { escapeRegex, type Matcher, type Selector, writeSelector } from '../promql/index.js';
import type { HistogramSource, Signals } from '../signals/index.js';
import type { ApiSeries } from './parse.js';
import { type ArmPlan, PROCESS_START, UP } from './plan.js';

/** One arm's part of an answer. */
export interface ArmQuery {
  /** Index of the query that answers it. */
  query: number;
  /** What tells the arm's series from the other arm's in the same answer; what is not named, the server has matched. */
  tells: readonly Matcher[];
  /** A series may be in another answer too. */
  overlaps: boolean;
}

export interface QueryPlan {
  /** Selectors without a range. */
  queries: string[];
  /** In the order of the arms asked for. */
  arms: ArmQuery[][];
}

interface Group {
  names: Set<string>;
  merged: readonly Matcher[];
  /** Of each arm; null: none of its selectors is here. */
  tells: (readonly Matcher[] | null)[];
}

/**
 * As few queries as possible for all arms: one for each group of labels that is asked for, of however many names, and
 * for both arms where they differ in plain label values alone. Whether a process is up, and since when, is asked for with
 * the arm's own labels where such a query is made anyway.
 */
export function planQueries(arms: readonly ArmPlan[]): QueryPlan {
  const groups = new Map<string, Group>();
  const wanted = arms.map(({ signals }) => wantedSeries(signals));
  // Both arms have the same signals, each with labels of its own.
  for (const i of wanted[0]?.keys() ?? [])
    addPair(
      groups,
      wanted.map((own) => own[i]!),
    );
  addIdentity(arms, groups);
  const all = withoutSubsets([...groups.values()]);
  const often = repeatedNames(all);
  return {
    queries: all.map(({ names, merged }) => writeSelector([...names], merged)),
    arms: arms.map((_, arm) =>
      all.flatMap(({ names, tells }, query): ArmQuery[] => {
        const own = tells[arm];
        return own ? [{ query, tells: own, overlaps: [...names].some((name) => often.has(name)) }] : [];
      }),
    ),
  };
}

/** The same series of every arm: one group where their labels can be merged, else one for each arm. */
function addPair(groups: Map<string, Group>, pair: readonly Selector[]): void {
  const merged = mergeMatchers(pair.map(({ matchers }) => matchers));
  pair.forEach(({ name, matchers }, arm) => {
    const group = merged
      ? groupOf(
          groups,
          merged,
          tellsOf(
            merged,
            pair.map((own) => own.matchers),
          ),
        )
      : groupOf(groups, matchers, onlyArm(arm, pair.length));
    group.names.add(name);
  });
}

function groupOf(groups: Map<string, Group>, merged: readonly Matcher[], tells: Group['tells']): Group {
  const key = groupKey(merged, tells);
  const known = groups.get(key) ?? { names: new Set(), merged, tells };
  groups.set(key, known);
  return known;
}

const groupKey = (merged: readonly Matcher[], tells: Group['tells']): string => JSON.stringify([merged, tells]);

const onlyArm = (arm: number, arms: number): Group['tells'] =>
  Array.from({ length: arms }, (_, i) => (i === arm ? [] : null));

function tellsOf(merged: readonly Matcher[], arms: readonly (readonly Matcher[])[]): Group['tells'] {
  return arms.map((own) => own.filter(({ op }, i) => op !== merged[i]!.op));
}

/** All series that a signal reads; `_count` closes a histogram without `+Inf`, and its own name is a native one's. */
export function wantedSeries({ requests, errors, histograms, drift, inflight }: Signals): Selector[] {
  const buckets = ({ name, matchers }: HistogramSource): Selector[] =>
    ['_bucket', '_count', ''].map((suffix) => ({ name: `${name}${suffix}`, matchers: [...matchers] }));
  return [
    ...Object.values(histograms).flatMap(buckets),
    ...[...(requests?.terms ?? []), ...(errors?.terms ?? [])].map(({ selector }) => selector),
    ...(drift === null ? [] : drift.kind === 'histogram' ? buckets(drift.histogram) : [drift.counts]),
    ...(inflight === null ? [] : [inflight]),
  ];
}

/** Matchers that take in all arms; null when they cannot be told apart afterwards. */
function mergeMatchers(arms: readonly (readonly Matcher[])[]): Matcher[] | null {
  const [first = []] = arms;
  if (arms.some((matchers) => matchers.length !== first.length)) return null;
  const merged = first.map((matcher, i): Matcher | null => {
    if (arms.some((matchers) => matchers[i]!.label !== matcher.label || matchers[i]!.op !== matcher.op)) return null;
    const values = [...new Set(arms.map((matchers) => matchers[i]!.value))];
    if (values.length === 1) return matcher;
    return matcher.op === '=' ? { ...matcher, op: '=~', value: values.map(escapeRegex).join('|') } : null;
  });
  return merged.every((matcher) => matcher !== null) ? merged : null;
}

function addIdentity(arms: readonly ArmPlan[], groups: Map<string, Group>): void {
  const own = arms.map(({ arm }) => arm);
  const merged = mergeMatchers(own);
  own.forEach((matchers, arm) => {
    // Without labels it would be every process that Prometheus knows.
    if (matchers.length === 0) return;
    const key = merged ? groupKey(merged, tellsOf(merged, own)) : groupKey(matchers, onlyArm(arm, own.length));
    for (const name of [UP, PROCESS_START]) groups.get(key)?.names.add(name);
  });
}

/** Leaves out the queries whose series another one brings anyway: errors among the requests, for example. */
function withoutSubsets(groups: readonly Group[]): Group[] {
  return groups.filter(
    (one, i) => !groups.some((other, k) => k !== i && covers(other, one) && (k < i || !covers(one, other))),
  );
}

function covers(wide: Group, narrow: Group): boolean {
  const has = (matcher: Matcher): boolean =>
    narrow.merged.some(
      ({ label, op, value }) => label === matcher.label && op === matcher.op && value === matcher.value,
    );
  const arms = narrow.tells.every((tells, arm) => tells === null || isDeepStrictEqual(tells, wide.tells[arm]));
  return arms && [...narrow.names].every((name) => wide.names.has(name)) && wide.merged.every(has);
}

function repeatedNames(groups: readonly Group[]): Set<string> {
  const seen = new Set<string>();
  const often = new Set<string>();
  for (const { names } of groups) for (const name of names) (seen.has(name) ? often : seen).add(name);
  return often;
}

/** Whether a series of a shared answer is the arm's. */
export function belongsTo({ tells }: ArmQuery, { metric }: ApiSeries): boolean {
  return tells.every(({ label, value }) => (metric[label] ?? '') === value);
}

import { pageKey } from '../page-key.js';
import { meet, narrows, type Selector, showSelector, substitute } from '../promql/index.js';
import {
  type ArmsConfig,
  fillMatchers,
  fillSignals,
  parseArms,
  parseSignals,
  type Signals,
  type SignalsConfig,
} from '../signals/index.js';

/** Of a source's descriptor what says which series it reads. */
type ReadSource =
  | { kind: 'scrape'; canaryUrls: readonly string[]; arms: ArmsConfig; signals: SignalsConfig }
  | { kind: 'prometheus'; url: string; arms: ArmsConfig; signals: SignalsConfig; queries: Record<string, string> }
  | { kind: 'none' | 'ndjson' };

/** A canary's source, and what its placeholders stand for. */
export interface ReadBy {
  source: ReadSource;
  modelId: string;
  /** Gate the candidate serves in. */
  gate: string;
}

/**
 * Whether two canaries read the same series of their candidates: one of them selects a part of what the other selects, or both
 * accept the same values of their labels, at the same place. What cannot be proved from the selectors is let pass (two regular expressions that may or may not overlap).
 * @returns the series, for a person; null: no such series is known
 */
export function sharedSeries(a: ReadBy, b: ReadBy): string | null {
  const [one, other] = [readsOf(a), readsOf(b)];
  if (one === null || other === null) return null;
  const place = one.places.find((each) => other.places.some((place) => pageKey(place) === pageKey(each)));
  if (place === undefined) return null;
  const selector = one.selectors.find((mine) => other.selectors.some((theirs) => overlap(mine, theirs)));
  if (selector !== undefined) return `${showSelector(selector)} of ${place}`;
  const query = one.queries.find((text) => other.queries.includes(text));
  return query === undefined ? null : `${query} of ${place}`;
}

function overlap(a: Selector, b: Selector): boolean {
  if (a.name !== b.name) return false;
  return narrows(a.matchers, b.matchers) || narrows(b.matchers, a.matchers) || meet(a.matchers, b.matchers);
}

interface Reads {
  places: string[];
  selectors: Selector[];
  /** Expressions, filled in. */
  queries: string[];
}

function readsOf({ source, modelId, gate }: ReadBy): Reads | null {
  if (source.kind !== 'scrape' && source.kind !== 'prometheus') return null;
  const values = { gate, model: modelId, window: 60 };
  const arm = fillMatchers(parseArms(source.arms).canary, values);
  const selectors = selectorsOf(fillSignals(parseSignals(source.signals), values)).map(({ name, matchers }) => ({
    name,
    matchers: [...matchers, ...arm],
  }));
  if (source.kind === 'scrape') return { places: [...source.canaryUrls], selectors, queries: [] };
  const queries = Object.values(source.queries).map((text) => substitute(text, values));
  return { places: [source.url.replace(/\/+$/, '')], selectors, queries };
}

/** Selectors of everything that is counted: of histograms those of their buckets. */
export function selectorsOf({ requests, errors, histograms, drift }: Signals): Selector[] {
  const all = [...Object.values(histograms), ...(drift?.kind === 'histogram' ? [drift.histogram] : [])];
  const buckets = all.map(({ name, matchers }) => ({ name: `${name}_bucket`, matchers: [...matchers] }));
  const counters = [...(requests?.terms ?? []), ...(errors?.terms ?? [])].map(({ selector }) => selector);
  return [...counters, ...buckets, ...(drift?.kind === 'categories' ? [drift.counts] : [])];
}

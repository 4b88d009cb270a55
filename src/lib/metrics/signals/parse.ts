import { LukhasError } from '../../errors.js';
import type { Matcher, Selector, Term } from '../promql/index.js';
import {
  disjoint,
  narrows,
  type Read,
  readMatchers,
  readSelector,
  readSum,
  selectsAmong,
  showSelector,
} from '../promql/index.js';
import type {
  ArmsConfig,
  CounterExpression,
  HistogramConfig,
  HistogramSource,
  Signals,
  SignalsConfig,
} from './signals.js';
import { SCALES } from './units.js';

/**
 * Takes what is counted apart. Placeholders stay in: `fillSignals` puts values in their place.
 * @throws LukhasError PROMQL that names the signal (`signals.errors`), the place and what to write
 */
export function parseSignals(config: SignalsConfig): Signals {
  const requests = config.requests === null ? null : counted('requests', config.requests);
  return {
    requests,
    errors: config.errors === null ? null : errorsOf(config.errors, requests),
    histograms: Object.fromEntries(
      Object.entries(config.histograms).map(([name, histogram]) => [name, histogramOf(name, histogram)]),
    ),
    drift: driftOf(config.drift),
    inflight: config.inflight === null ? null : value('inflight', readSelector(config.inflight)),
  };
}

/**
 * The matchers of both arms, placeholders in.
 * @throws LukhasError PROMQL
 */
export function parseArms({ canary, baseline }: ArmsConfig): { canary: Matcher[]; baseline: Matcher[] } {
  const matchers = (arm: 'canary' | 'baseline', text: string) => {
    const read = readMatchers(text);
    if (read.ok) return read.value;
    throw new LukhasError('PROMQL', `arms.${arm}: ${read.problem}`);
  };
  return { canary: matchers('canary', canary), baseline: matchers('baseline', baseline) };
}

function value<T>(signal: string, read: Read<T>): T {
  if (read.ok) return read.value;
  throw new LukhasError('PROMQL', `signals.${signal}: ${read.problem}`);
}

function counted(signal: string, text: string): CounterExpression {
  return { text, terms: value(signal, readSum(text)) };
}

function errorsOf({ count, absent }: NonNullable<SignalsConfig['errors']>, requests: CounterExpression | null) {
  const errors = counted('errors', count);
  return { ...errors, absent, among: requests !== null && isAmong(errors.terms, requests.terms) };
}

/**
 * Whether errors can only be requests that are counted as requests: each term selects among the series of one that adds to
 * `requests`, and has nothing in common with what is taken off there.
 */
function isAmong(errors: readonly Term[], requests: readonly Term[]): boolean {
  const [added, takenOff] = [1, -1].map((sign) => requests.filter((term) => term.sign === sign));
  return errors.every(({ selector }) => {
    const within = added!.some((term) => selectsAmong(selector, term.selector));
    return within && takenOff!.every((term) => apart(selector, term.selector));
  });
}

function apart(a: Selector, b: Selector): boolean {
  return a.name !== b.name || disjoint(a.matchers, b.matchers);
}

function histogramOf(name: string, { histogram, unit }: HistogramConfig): HistogramSource {
  const selector = value(name, readSelector(histogram));
  return { ...selector, unit, scale: SCALES[unit] };
}

function driftOf(drift: SignalsConfig['drift']): Signals['drift'] {
  if (drift === null) return null;
  if ('by' in drift) return { kind: 'categories', counts: value('drift', readSelector(drift.counts)), by: drift.by };
  return { kind: 'histogram', histogram: histogramOf('drift', { histogram: drift.histogram, unit: '1' }) };
}

/** What is legal in signals and most likely not meant, in words; one line each. */
export function signalWarnings({ requests, errors }: Signals): string[] {
  return [
    ...(requests === null ? [] : countedTwice('requests', requests)),
    ...(errors === null ? [] : countedTwice('errors', errors)),
    ...(requests === null || errors === null || errors.among ? [] : beyondRequests(requests, errors)),
  ];
}

function countedTwice(signal: string, { terms }: CounterExpression): string[] {
  return terms.flatMap((term, i) => {
    const other = terms.find(
      (one, j) =>
        j < i &&
        one.sign === term.sign &&
        (selectsAmong(term.selector, one.selector) || selectsAmong(one.selector, term.selector)),
    );
    if (other === undefined) return [];
    const [a, b] = [showSelector(other.selector), showSelector(term.selector)];
    return [`signals.${signal}: ${a} and ${b} hold the same series, which are counted twice`];
  });
}

/** Failures of requests that are not counted as requests: the error rate can exceed 100%. */
function beyondRequests(requests: CounterExpression, errors: CounterExpression): string[] {
  return errors.terms.flatMap(({ sign, selector }) => {
    const lacking = sign === -1 ? [] : strayMatchers(selector, requests);
    if (lacking.length === 0) return [];
    const add = showSelector({ name: selector.name, matchers: [...selector.matchers, ...lacking] });
    return [
      `signals.errors: ${showSelector(selector)} also counts failures of requests that signals.requests leaves out; write ${add}`,
    ];
  });
}

/** What a selection of failures among the requests' own metric lacks of what selects the requests; nothing of another metric. */
export function strayMatchers(failures: Selector, requests: CounterExpression): Matcher[] {
  const same = requests.terms.find((term) => term.sign === 1 && term.selector.name === failures.name);
  return same?.selector.matchers.filter((matcher) => !narrows(failures.matchers, [matcher])) ?? [];
}

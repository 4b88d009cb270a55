import { fillSelector, fitAll, type Matcher, type Placeholders, type Selector } from '../promql/index.js';
import type { Sample } from './samples.js';
import type { CounterExpression, HistogramSource, Signals } from './signals.js';

/**
 * Whether a sample is of a series that the selector names, as Prometheus decides it.
 * Regular expressions were checked when the selector was parsed.
 */
export function matches({ name, matchers }: Selector, sample: Pick<Sample, 'name' | 'labels'>): boolean {
  return sample.name === name && fitAll(matchers, sample.labels);
}

/** Puts values in place of `$__gate` and `$__model`, escaped where a matcher is a regular expression. */
export function fillSignals({ requests, errors, histograms, drift, inflight }: Signals, values: Placeholders): Signals {
  const sum = <Sum extends CounterExpression>(counted: Sum): Sum => ({
    ...counted,
    terms: counted.terms.map(({ sign, selector }) => ({ sign, selector: fillSelector(selector, values) })),
  });
  const filled = ({ name, matchers, ...rest }: HistogramSource): HistogramSource => ({
    ...rest,
    ...fillSelector({ name, matchers: [...matchers] }, values),
  });
  return {
    requests: requests && sum(requests),
    errors: errors && sum(errors),
    histograms: Object.fromEntries(Object.entries(histograms).map(([name, histogram]) => [name, filled(histogram)])),
    drift:
      drift &&
      (drift.kind === 'histogram'
        ? { ...drift, histogram: filled(drift.histogram) }
        : { ...drift, counts: fillSelector(drift.counts, values) }),
    inflight: inflight && fillSelector(inflight, values),
  };
}

/** The same of an arm's matchers. */
export function fillMatchers(matchers: readonly Matcher[], values: Placeholders): Matcher[] {
  return fillSelector({ name: '', matchers: [...matchers] }, values).matchers;
}

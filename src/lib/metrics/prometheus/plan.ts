import { type Matcher, type Placeholders, type Selector, showSum } from '../promql/index.js';
import {
  type CounterExpression,
  fillMatchers,
  fillSignals,
  type HistogramSource,
  parseArms,
  parseSignals,
  type Signals,
} from '../signals/index.js';
import type { PrometheusConfig } from '../source.js';
import { type ExpressionSignals, expressionSignals } from './expressions.js';

/** Which raw counters stand behind the signals of one arm. */
export interface ArmPlan {
  /** Every selector with the arm's matchers, but for those of the user's expressions, which name their series themselves. */
  signals: Signals;
  /** The arm's own matchers. */
  arm: readonly Matcher[];
}

/** Placeholders are still in. */
export interface CounterPlan {
  canary: ArmPlan;
  baseline: ArmPlan;
  /** Whether there is anything to count. */
  counts: boolean;
  /** Names of expressions whose value is a percentage of what it should be a share of. */
  percent: ReadonlySet<string>;
}

/** Series that Prometheus and the client libraries give every process. */
export const UP = 'up';
export const PROCESS_START = 'process_start_time_seconds';

/** @throws LukhasError PROMQL for signals or arms that cannot be read */
export function planCounters({ queries, arms, signals }: PrometheusConfig): CounterPlan {
  const given = parseSignals(signals);
  const expressions = expressionSignals(queries);
  const own = parseArms(arms);
  const planOf = (arm: readonly Matcher[]): ArmPlan => ({
    signals: withExpressions(withinArm(given, arm), expressions),
    arm,
  });
  const [canary, baseline] = [planOf(own.canary), planOf(own.baseline)];
  const { requests, errors, histograms, drift } = canary.signals;
  const counts = requests !== null || errors !== null || drift !== null || Object.keys(histograms).length > 0;
  return { canary, baseline, counts, percent: expressions.percent };
}

function withExpressions(signals: Signals, { errors, histograms, drift }: ExpressionSignals): Signals {
  const kept = Object.entries({ ...signals.histograms, ...histograms }).filter(
    (entry): entry is [string, HistogramSource] => entry[1] !== null,
  );
  return {
    ...signals,
    ...(errors === undefined ? {} : (errors ?? { requests: null, errors: null })),
    histograms: Object.fromEntries(kept),
    drift: drift ? null : signals.drift,
  };
}

/** An arm's plan as it is asked for: values in place of `$__gate` and `$__model`. */
export function fillPlan({ signals, arm }: ArmPlan, values: Placeholders): ArmPlan {
  const { requests, errors, ...others } = fillSignals(signals, values);
  const asked = <Sum extends CounterExpression>(sum: Sum): Sum => ({ ...sum, text: showSum(sum.terms) });
  return {
    signals: { requests: requests && asked(requests), errors: errors && asked(errors), ...others },
    arm: fillMatchers(arm, values),
  };
}

function withinArm({ requests, errors, histograms, drift, inflight }: Signals, arm: readonly Matcher[]): Signals {
  const within = <Named extends { matchers: readonly Matcher[] }>(one: Named) => ({
    ...one,
    matchers: [...one.matchers, ...arm],
  });
  const sum = <Sum extends CounterExpression>(one: Sum): Sum => {
    const terms = one.terms.map(({ sign, selector }) => ({ sign, selector: within<Selector>(selector) }));
    return { ...one, terms, text: showSum(terms) };
  };
  return {
    requests: requests && sum(requests),
    errors: errors && sum(errors),
    histograms: Object.fromEntries(Object.entries(histograms).map(([name, source]) => [name, within(source)])),
    drift:
      drift &&
      (drift.kind === 'histogram'
        ? { ...drift, histogram: within(drift.histogram) }
        : { ...drift, counts: within<Selector>(drift.counts) }),
    inflight: inflight && within<Selector>(inflight),
  };
}

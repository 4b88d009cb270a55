import { type MetricNames, namesOf } from '../counters.js';
import type { Placeholders } from '../promql/index.js';
import {
  escapeRegex,
  fillSelector,
  type Matcher,
  type PromqlShape,
  parseSelector,
  promqlShape,
  type Selector,
  writeSelector,
} from '../promql/index.js';
import { parseArms, parseSignals } from '../signals/index.js';
import type { PrometheusConfig } from '../source.js';
import type { ApiSeries } from './api.js';

type RawSignal = 'errors' | 'latency' | 'score';

/** Series to read, placeholders still in. */
interface Wanted {
  selector: Selector;
  /** The arms' matchers are added to those of the configured metrics; the user's own expressions have theirs. */
  inArms: boolean;
  /** Name under which the counting looks for it. */
  as: string;
  /** Multiplies `le`, where the unit is neither seconds nor milliseconds. */
  boundScale: number;
}

/** Which raw counters stand behind the signals, and under which names to count them. */
export interface CounterPlan {
  signals: ReadonlySet<RawSignal>;
  names: MetricNames;
  wanted: readonly Wanted[];
  arms: { canary: Matcher[]; baseline: Matcher[] };
}

/**
 * Raw counters are those that a known shape of the user's own expression names; without an expression, those of the
 * configured metrics. An expression of another shape stands alone: its signal has no counters.
 */
export function planCounters({ queries, arms, signals }: PrometheusConfig): CounterPlan {
  const metrics = namesOf(parseSignals(signals));
  const named = (name: string): Wanted => ({
    selector: { name, matchers: [] },
    inArms: true,
    as: name,
    boundScale: 1,
  });
  const plan = {
    signals: new Set<RawSignal>(),
    names: { ...metrics },
    wanted: [] as Wanted[],
    arms: parseArms(arms),
  };
  const add = (signal: RawSignal, ...wanted: Wanted[]): void => {
    plan.signals.add(signal);
    plan.wanted.push(...wanted);
  };
  const latency = queries['latency_p95_ms'];
  if (latency === undefined) add('latency', named(`${metrics.latency}_bucket`));
  else addLatency(promqlShape(latency), plan.names, add);
  const errors = queries['error_rate'];
  if (errors === undefined) add('errors', named(metrics.requests), named(metrics.errors));
  else addErrors(promqlShape(errors), plan.names, add);
  if (queries['drift'] !== undefined) plan.names.score = null;
  if (plan.names.score !== null) add('score', named(`${plan.names.score}_bucket`));
  if (metrics.inflight !== null && plan.signals.size > 0) plan.wanted.push(named(metrics.inflight));
  return plan;
}

type Add = (signal: RawSignal, ...wanted: Wanted[]) => void;

function addLatency(shape: PromqlShape | null, names: MetricNames, add: Add): void {
  if (shape?.kind !== 'quantile' || shape.q !== 0.95) return;
  const selector = parseSelector(shape.bucketSelector);
  if (!selector) return;
  const { factor } = shape;
  names.latency = selector.name.replace(/_bucket$/, '');
  names.latencyUnit = factor === 1000 ? 's' : 'ms';
  add('latency', { selector, inArms: false, as: selector.name, boundScale: factor === 1000 ? 1 : factor });
}

/** A factor other than 1 makes the value something else than a share of requests: then it stands alone. */
function addErrors(shape: PromqlShape | null, names: MetricNames, add: Add): void {
  if (shape?.kind !== 'ratio' || shape.factor !== 1) return;
  const bad = parseSelector(shape.numeratorSelector);
  const all = parseSelector(shape.denominatorSelector);
  if (!bad || !all) return;
  Object.assign(names, { requests: all.name, requestLabels: {}, errorLabels: {} });
  // The same metric with other labels is two counts.
  names.errors = bad.name === all.name ? `${bad.name} (bad)` : bad.name;
  add('errors', { selector: all, inArms: false, as: names.requests, boundScale: 1 });
  add('errors', { selector: bad, inArms: false, as: names.errors, boundScale: 1 });
}

/** One arm's part of the answers. */
export interface ArmSeries {
  as: string;
  boundScale: number;
  selector: Selector;
  /** Index of the query that answers it. */
  query: number;
}

interface QueryPlan {
  /** Selectors without a range. */
  queries: string[];
  /** In the order of the gates asked for. */
  arms: ArmSeries[][];
}

/** As few queries as possible for all arms: names and arms that differ in plain label values alone share one. */
export function planQueries(plan: CounterPlan, arms: readonly Placeholders[]): QueryPlan {
  const groups = new Map<string, { names: Set<string>; matchers: Matcher[] }>();
  const group = (name: string, matchers: Matcher[]): number => {
    const key = JSON.stringify(matchers);
    const { names } = groups.get(key) ?? groups.set(key, { names: new Set(), matchers }).get(key)!;
    names.add(name);
    return [...groups.keys()].indexOf(key);
  };
  const series: ArmSeries[][] = arms.map(() => []);
  const ofArm = [plan.arms.canary, plan.arms.baseline];
  for (const { selector, inArms, as, boundScale } of plan.wanted) {
    const filled = arms.map((values, i) => {
      const { name, matchers } = selector;
      return fillSelector({ name, matchers: inArms ? [...matchers, ...ofArm[i]!] : matchers }, values);
    });
    const merged = mergeMatchers(filled.map(({ matchers }) => matchers));
    filled.forEach((own, arm) => {
      const query = group(own.name, merged ?? own.matchers);
      series[arm]!.push({ as, boundScale, selector: own, query });
    });
  }
  const queries = [...groups.values()].map(({ names, matchers }) => writeSelector([...names], matchers));
  return { queries, arms: series };
}

/** Matchers that take in all arms; null when they cannot be told apart afterwards. */
function mergeMatchers(arms: readonly (readonly Matcher[])[]): Matcher[] | null {
  const [first = []] = arms;
  const alike = (other: readonly Matcher[]) =>
    other.length === first.length &&
    other.every(({ label, op }, i) => label === first[i]!.label && op === first[i]!.op);
  if (!arms.every(alike)) return null;
  const merged = first.map((matcher, i): Matcher | null => {
    const values = [...new Set(arms.map((matchers) => matchers[i]!.value))];
    if (values.length === 1) return matcher;
    return matcher.op === '=' ? { ...matcher, op: '=~', value: values.map(escapeRegex).join('|') } : null;
  });
  return merged.every((matcher) => matcher !== null) ? merged : null;
}

/** Whether a series of a merged query is the arm's: what was not merged, the server has already matched. */
export function belongsTo({ name, matchers }: Selector, { metric }: ApiSeries): boolean {
  if (metric['__name__'] !== name) return false;
  return matchers.every(({ label, op, value }) => op !== '=' || (metric[label] ?? '') === value);
}

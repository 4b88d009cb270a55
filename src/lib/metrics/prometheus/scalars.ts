import type { ScalarSignal } from '../../judge/index.js';
import { type Placeholders, substitute } from '../promql/index.js';
import type { ReadRequest } from '../source.js';
import type { PrometheusAnswers } from './answers.js';
import { queryPlace } from './config.js';
import { quantileName } from './expressions.js';
import type { ApiAnswer } from './parse.js';
import { numberOf } from './places.js';
import type { CounterPlan } from './plan.js';

/** Always read when configured; others when the policy asks for them. */
const STANDARD_QUERIES = ['latency_p95_ms', 'error_rate', 'drift'];

/** What the user's own expressions give for the canary, each as one number. */
export async function readScalars(
  queries: Readonly<Record<string, string>>,
  plan: CounterPlan,
  api: PrometheusAnswers,
  { scalars, signal }: ReadRequest,
  values: Placeholders,
): Promise<{ signals: Record<string, ScalarSignal>; warnings: string[] }> {
  const counted = (name: string): boolean => {
    const quantile = quantileName(name);
    return quantile !== null && Object.hasOwn(plan.canary.signals.histograms, quantile.histogram);
  };
  const asked = scalars.filter((name) => Object.hasOwn(queries, name) || !counted(name));
  const names = new Set([...STANDARD_QUERIES.filter((name) => name in queries), ...asked]);
  const warnings: string[] = [];
  const signals = [...names].map(async (name): Promise<[string, ScalarSignal]> => {
    const expr = Object.hasOwn(queries, name) ? queries[name] : undefined;
    if (expr === undefined) return [name, { state: 'no_source', detail: `no query is configured for ${name}` }];
    const answer = await api.value(substitute(expr, values, queryPlace(name)), signal);
    if (answer.ok) warnings.push(...answer.warnings);
    const read = scalarOf(answer);
    if (read.state !== 'ok' || !plan.percent.has(name)) return [name, read];
    return [name, { state: 'ok', value: read.value / 100 }];
  });
  return { signals: Object.fromEntries(await Promise.all(signals)), warnings };
}

function scalarOf(answer: ApiAnswer): ScalarSignal {
  if (!answer.ok) return answer.missing;
  if (answer.type === 'matrix' || answer.type === 'string')
    return { state: 'invalid', detail: `returned a ${answer.type}; write an expression that gives one number` };
  if ('sample' in answer) return numberSignal(answer.sample[1]);
  const [only, ...more] = answer.series;
  if (only === undefined) return { state: 'absent', detail: 'the expression returned no series' };
  if (more.length > 0)
    return { state: 'invalid', detail: `returned ${answer.series.length} series; aggregate it to one` };
  if (only.value === undefined) return { state: 'invalid', detail: 'returned a native histogram, not a number' };
  return numberSignal(only.value[1]);
}

function numberSignal(text: string): ScalarSignal {
  const value = numberOf(text);
  if (Number.isFinite(value)) return { state: 'ok', value };
  return { state: 'invalid', detail: Number.isNaN(value) ? 'NaN (0/0 when there is no traffic)' : text };
}

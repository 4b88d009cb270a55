import { quote, writeSelector } from '../promql/index.js';
import type { ApiAnswer } from './parse.js';

/** The values that the series of a metric have for these labels, by label; null where there is no such metric or answer. */
export type LabelsSeen = (name: string, labels: readonly string[]) => Promise<ReadonlyMap<string, string[]> | null>;

const KEPT_MS = 60_000;

/** Asks at most once a minute for each metric. @param now milliseconds of any clock */
export function labelsSeen(query: (expr: string) => Promise<ApiAnswer>, now: () => number): LabelsSeen {
  const kept = new Map<string, { until: number; found: ReturnType<LabelsSeen> }>();
  return (name, labels) => {
    const names = labels.map((label) => (/^[a-zA-Z_]\w*$/.test(label) ? label : quote(label)));
    const expr = `count by (${names.join(',')}) (${writeSelector([name], [])})`;
    const known = kept.get(expr);
    if (known && now() < known.until) return known.found;
    for (const [key, { until }] of kept) if (until <= now()) kept.delete(key);
    const found = query(expr).then((answer) => valuesIn(answer, labels));
    kept.set(expr, { until: now() + KEPT_MS, found });
    return found;
  };
}

function valuesIn(answer: ApiAnswer, labels: readonly string[]): ReadonlyMap<string, string[]> | null {
  if (!answer.ok || !('series' in answer) || answer.series.length === 0) return null;
  const seen = labels.map((label) => {
    const values = answer.series.flatMap(({ metric }) => metric[label] ?? []);
    return [label, [...new Set(values)].sort()] as const;
  });
  return new Map(seen);
}

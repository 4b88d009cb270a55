import type { ObjectiveReport, RateReport } from '../judge/index.js';
import { counted, inUnit, percentile, sidesOf } from './rate-facts.js';
import { count, percent, plural } from './words.js';

/** What an objective's value is computed from, with the numbers put in. */
export function formulaText(o: ObjectiveReport): string {
  switch (o.type) {
    case 'reading':
      return `${o.name} ${o.rule.op} ${o.rule.value} at each check: ${count(o.failing)} of ${plural(o.readings, 'reading')} failed`;
    case 'drift': {
      const of = o.by === 'categories' ? 'counts' : 'scores';
      return `PSI = sum of (canary - baseline) x ln(canary / baseline), less its bias, over ${plural(o.bins, 'bin')}, ${count(o.canaryTotal)} and ${count(o.baselineTotal)} ${of}`;
    }
    case 'rate': {
      const { baseline: b } = o;
      const own = `${sidesOf(o).bad} / ${counted(o)}s = ${count(o.bad)} / ${count(o.total)}${o.rate === null ? '' : ` = ${percent(o.rate)}`}`;
      if (!o.relative || b === null) return `${own}; tested against ${percent(o.p0)}`;
      return `${own}; the baseline's: ${count(b.bad)} / ${count(b.total)}${b.ratio === null ? '' : `; ratio ${Number(b.ratio.toPrecision(3))}`}`;
    }
  }
}

/** Which buckets of its histogram stand for the limit of a latency; null: it has none. */
export function bucketText(o: RateReport): string | null {
  const { latency: l } = o;
  if (l === null) return null;
  const bound = (x: number | null, otherwise: string) => (x === null ? otherwise : `above ${inUnit(o, x)}`);
  const within =
    l.bucket === null
      ? ''
      : `; ${percentile(l)} ${l.bucket.lower === null ? 'at or below' : `in ${count(l.bucket.lower)} to`} ${inUnit(o, l.bucket.upper)}`;
  return `a rollback counts ${bound(l.surelyAbove, 'none')}, a promotion ${bound(l.possiblyAbove, 'all')}${within}`;
}

/** How the source was asked for what an objective is judged by, by the name of the signal; as recorded. */
export function queriesOf(
  o: ObjectiveReport,
  source: Readonly<Record<string, unknown>>,
): [name: string, query: string][] {
  const signals = (source['signals'] ?? {}) as { histograms?: object };
  const asked = { ...signals, ...signals.histograms, ...(source['queries'] as object | undefined) };
  const names =
    o.type === 'rate'
      ? o.histogram !== undefined
        ? [o.histogram.name]
        : o.signal === 'errors'
          ? ['errors', 'requests', 'error_rate']
          : ['latency']
      : [o.name];
  return Object.entries(asked).flatMap(([name, query]): [string, string][] =>
    names.includes(name) && query != null ? [[name, typeof query === 'string' ? query : JSON.stringify(query)]] : [],
  );
}

import { type Selector, showSelector } from '../promql/index.js';
import { ownSeries } from './absence.js';
import type { Arm } from './arm.js';
import type { Finding } from './facts.js';

/** Names of what rises and falls; others may be counters that a page declares as gauges. */
const LEVEL =
  /(^|[_:])(in_?flight|active|current|pending|waiting|running|queued?|queue_\w+|busy|concurrency|concurrent|rps|qps|tps|rate|ratio|per_(second|minute|s|min)|avg|average|mean|usage|utilization|load|size|depth|open)([_:]|$)/;

/** Series that do not count how often something happened, though a counter is read there. */
export function notCounts(arm: Arm, signal: string, selector: Selector): Finding[] {
  const own = ownSeries(arm, selector, 'counter');
  const fatal = (words: string, advice: string): Finding[] => [
    { level: 'fatal', arm: arm.name, signal, words: `${showSelector(selector)} ${words}`, advice },
  ];
  const { name, matchers } = selector;
  const part = name.replace(/_(bucket|sum)$/, '');
  const count = (of: string, without: string): string =>
    showSelector({ name: `${of}_count`, matchers: matchers.filter(({ label }) => label !== without) });
  const bounds = new Set(own.flatMap(({ labels }) => labels['le'] ?? []));
  if (name.endsWith('_bucket') && bounds.size > 1)
    return fatal(
      'are the buckets of a histogram, which count each request several times',
      `Write ${count(part, 'le')}.`,
    );
  if (own.some(({ labels }) => labels['quantile'] !== undefined))
    return fatal('are the quantiles of a summary, not a counter', `Write ${count(name, 'quantile')}.`);
  const family = arm.families.find((one) => one.name === part);
  if (
    own.length > 0 &&
    part !== name &&
    (family?.type === 'histogram' || family?.type === 'summary') &&
    name.endsWith('_sum')
  )
    return fatal('is the sum of what was observed, not how often', `Write ${count(part, '')}.`);
  const gauge = arm.families.find((one) => one.name === name)?.type === 'gauge';
  if (own.length > 0 && gauge && LEVEL.test(name))
    return fatal(
      'is a gauge, which rises and falls: what has happened so often is in a counter',
      'Name a counter, most of which end in _total or _count.',
    );
  return notWhole(arm, signal, selector);
}

/** A page may call an average a counter; what has happened some times is a whole number. */
function notWhole(arm: Arm, signal: string, selector: Selector): Finding[] {
  const found = ownSeries(arm, selector, 'counter').find(
    ({ value }) => Number.isFinite(value) && !Number.isInteger(value),
  );
  if (found === undefined) return [];
  const words = `${showSelector(selector)} is ${found.value}, not a whole number: an average or a sum of times counts no requests`;
  return [{ level: 'warning', arm: arm.name, signal, words }];
}

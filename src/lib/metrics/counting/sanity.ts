import type { Missing } from '../../judge/index.js';
import type { Signals } from '../signals/index.js';
import type { ProcessStep } from './advance.js';
import type { Plan } from './plan.js';

/** So many requests may come between the reading of two counters, or this share of all. */
const BETWEEN = 20;
const SHARE = 0.25;

/**
 * Failures are among the requests, so there are never more of them, but for those that were counted before their request.
 * @returns why these cannot be of the same requests; null: they may be
 */
export function tooManyFailures(
  { bad, total }: { bad: number; total: number },
  { errors, requests }: Signals,
): Missing | null {
  if (bad - total <= BETWEEN + SHARE * total) return null;
  const detail = `${errors?.text} rose by ${bad}, ${requests?.text} by ${total}: more failures than requests are counted`;
  return { state: 'implausible', detail };
}

/**
 * Where requests are the `_count` of a histogram that is measured, under the same matchers, both count the same requests.
 * That they differ by more than the order of reading explains means that one of them is not what it says.
 */
export function contradictionOf({
  plan,
  signals,
  steps,
}: {
  plan: Plan;
  signals: Signals;
  steps: readonly ProcessStep[];
}): { histogram: number; missing: Missing } | null {
  const [term, ...more] = signals.requests?.terms ?? [];
  if (term === undefined || more.length > 0) return null;
  const { name, matchers } = term.selector;
  const histogram = plan.histograms.findIndex(
    ({ source }) => `${source.name}_count` === name && JSON.stringify(source.matchers) === JSON.stringify(matchers),
  );
  if (histogram < 0) return null;
  let [requests, buckets] = [0, 0];
  for (const { look, verdict, histograms } of steps) {
    const found = look.histograms[histogram]!;
    if (!(found instanceof Map)) return null;
    const part = histograms[histogram];
    const deltas = look.terms[plan.requests[0]!]!.map(({ delta }) => delta);
    if (verdict === null || part === undefined || part.torn || part.started > 0 || found.size === 0) continue;
    if (!deltas.every((delta) => delta !== null)) continue;
    requests += deltas.reduce((all, delta) => all + delta, 0);
    for (const { counts } of part.parts) buckets += counts.reduce((all, count) => all + count, 0);
  }
  if (Math.abs(requests - buckets) <= BETWEEN + SHARE * Math.max(requests, buckets)) return null;
  const { source } = plan.histograms[histogram]!;
  const detail = `${name} rose by ${requests}, the buckets of ${source.name} by ${buckets}: they count the same requests`;
  return { histogram, missing: { state: 'implausible', detail } };
}

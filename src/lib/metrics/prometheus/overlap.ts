import type { Missing } from '../../judge/index.js';
import { showLabels } from '../labels.js';
import { disjoint, showSelector } from '../promql/index.js';
import { matches } from '../signals/index.js';
import type { ApiSeries } from './parse.js';
import type { ArmPlan } from './plan.js';
import { wantedSeries } from './queries.js';

/** Whether no series can be in both arms, whatever Prometheus holds. */
export function areDisjoint(canary: ArmPlan, baseline: ArmPlan): boolean {
  const others = wantedSeries(baseline.signals);
  return wantedSeries(canary.signals).every(({ matchers }, i) => disjoint(matchers, others[i]!.matchers));
}

/**
 * A baseline that holds series of the canary would agree with it. (Both arms may share processes.)
 * @returns why nothing can be said of the baseline; null where no series is in both
 */
export function overlapping(
  plans: readonly [ArmPlan, ArmPlan],
  series: readonly [readonly ApiSeries[], readonly ApiSeries[]],
): Missing | null {
  const [canary, baseline] = plans.map(({ signals }) => wantedSeries(signals)) as [Wanted, Wanted];
  const told = 'tell them apart with arms';
  const same = canary.find((selector, i) => showSelector(selector) === showSelector(baseline[i]!));
  if (same) return { state: 'invalid', detail: `${showSelector(same)} is the canary and the baseline: ${told}` };
  const others = new Set(series[1].map(({ metric }) => showLabels(metric)));
  for (const { metric } of series[0]) {
    if (!others.has(showLabels(metric))) continue;
    const { __name__: name = '', ...labels } = metric;
    const isIn = (wanted: Wanted) => wanted.some((selector) => matches(selector, { name, labels }));
    if (!isIn(canary) || !isIn(baseline)) continue;
    const detail = `${name}${showLabels(labels)} is in the canary and in the baseline: ${told}`;
    return { state: 'invalid', detail };
  }
  return null;
}

type Wanted = ReturnType<typeof wantedSeries>;

import type { ArmCursor, ProcessCursor } from './cursor.js';
import type { ProcessLook } from './processes.js';

/**
 * Series without a label that names a process, first seen beside processes that have one: they are not of another process
 * but of the target, which was read before (a counter of failures that appears with the first one, without the label of
 * the worker). They count on from what the target showed then.
 * @returns null where the target is new, or has shown nothing with such labels
 */
export function beforeOfTarget(look: ProcessLook, previous: ArmCursor | null): ProcessCursor | undefined {
  if (look.instance !== '' || previous === null) return undefined;
  const others = Object.values(previous.processes).filter(({ target }) => target === look.target);
  if (others.length === 0) return undefined;
  const rates = others.flatMap(({ rate }) => rate ?? []);
  const target: ProcessCursor = {
    target: look.target,
    seen: Math.max(...others.map(({ seen }) => seen)),
    rate: rates.length === 0 ? null : Math.max(...rates),
    former: [],
    series: {},
    histograms: {},
  };
  for (const { series, histograms } of others) {
    Object.assign(target.series, series);
    for (const [signal, totals] of Object.entries(histograms))
      target.histograms[signal] = totals === null ? null : { ...target.histograms[signal], ...totals };
  }
  return target;
}

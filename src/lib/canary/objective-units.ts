import { LukhasError } from '../errors.js';
import { type Policy, quantileQuestion } from '../judge/index.js';
import type { SourceDescriptor } from '../metrics/index.js';

/**
 * Refuses objectives whose names say another unit than their histogram has: a limit of seconds would be compared with
 * bounds in milliseconds, and a healthy canary rolled back for it.
 * @throws LukhasError POLICY
 */
export function assertUnits({ objectives }: Policy, source: SourceDescriptor): void {
  if (!('signals' in source) || source.signals === undefined) return;
  const { histograms } = source.signals;
  const queries = 'queries' in source ? source.queries : {};
  for (const rule of objectives) {
    const question = quantileQuestion(rule);
    const name = question?.histogram ?? '';
    const measured = Object.hasOwn(histograms, name) ? histograms[name] : undefined;
    if (question === null || measured === undefined || Object.hasOwn(queries, rule.name)) continue;
    if (question.unit === 'ms' && measured.unit === '1')
      throw new LukhasError(
        'POLICY',
        `objectives: ${rule.name} ${rule.op} ${rule.value}: the histogram ${name} is not one of times (unit: 1)`,
        { suggestions: [`Write ${rule.name.replace(/_ms$/, '')}, or set its unit in signals.`] },
      );
    if (question.unit === '1' && measured.unit !== '1')
      throw new LukhasError(
        'POLICY',
        `objectives: ${rule.name} ${rule.op} ${rule.value}: the histogram ${name} measures times, so its limit needs a unit`,
        { suggestions: [`Write ${rule.name}_ms, with a limit in milliseconds.`] },
      );
  }
}

import type { DriftReport, ObjectiveReport, RateReport, ReadingReport } from '../judge/index.js';
import { isEnd, missingText } from './objective-cells.js';
import { beyond, counted, drifted, inUnit, percentile, sidesOf, since } from './rate-facts.js';
import { count, percent, plural } from './words.js';

/** One line an objective: what was observed, its bounds, its limit; pure. */
export function objectiveLine(o: ObjectiveReport): string {
  const rule = o.type === 'reading' ? `${o.rule.name} ${o.rule.op} ${o.rule.value}` : o.name;
  const name = o.reportOnly ? `${rule} (report only)` : rule;
  if (!o.hasData) return `${name}: ${missingText(o.missing)}`;
  const shown = o.type === 'rate' ? rateLine(o) : o.type === 'drift' ? driftLine(o) : readingLine(o);
  const now = o.missing === null || isEnd(o.missing) ? '' : `; newest check: ${missingText(o.missing)}`;
  return `${name}: ${shown}${now}`;
}

function rateLine(o: RateReport): string {
  if (o.rate === null) return 'no requests';
  const badly = `${count(o.bad)} of ${plural(o.total, counted(o))} ${sidesOf(o).did}`;
  if (o.relative) {
    const ratio = o.baseline?.ratio == null ? 'no ratio' : `${o.baseline.ratio.toPrecision(3)}x the baseline's rate`;
    return `${badly}, ${ratio} (limit ${o.target}x)`;
  }
  const limits = `${percent(o.rate)}${bounds(o)}, limit ${percent(o.p0)}`;
  if (o.signal === 'errors') return `${badly} (${limits})${sinceOnset(o)}`;
  const slow = `${count(o.bad)} of ${plural(o.total, counted(o))} ${beyond(o)}`;
  return `${quantile(o)}${slow} (${limits})${sinceOnset(o)}`;
}

function bounds({ bounds: b }: RateReport): string {
  return b ? `, bounds ${percent(b.lower)} to ${percent(b.upper)}` : '';
}

/** The rate of the whole window can hide a late regression. */
function sinceOnset(o: RateReport): string {
  const onset = since(o);
  if (!onset) return '';
  return `; since check ${onset.tick}: ${count(onset.bad)} of ${count(onset.total)} (${percent(onset.bad / onset.total)})`;
}

function quantile(o: RateReport): string {
  const { latency } = o;
  if (!latency || latency.value === null) return '';
  const p = percentile(latency);
  if (!latency.bucket) return `${p} above ${inUnit(o, latency.value)}; `;
  const { lower, upper } = latency.bucket;
  if (lower === null) return `${p} ${inUnit(o, upper)} or less; `;
  return `${p} about ${inUnit(o, latency.value)} (bucket ${count(lower)} to ${inUnit(o, upper)}); `;
}

function driftLine(o: DriftReport): string {
  const scores = `${plural(o.canaryTotal, drifted(o))} of the canary, ${count(o.baselineTotal)} of the baseline`;
  if (o.value === null) return `too few ${drifted(o)}s (${scores})`;
  const between = o.bounds ? `bounds ${Math.max(0, o.bounds.lower).toFixed(3)} to ${o.bounds.upper.toFixed(3)}, ` : '';
  return `PSI ${Math.max(0, o.value).toFixed(3)} (${between}limit ${o.target})`;
}

function readingLine(o: ReadingReport): string {
  const missed = o.missed > 0 ? `, ${o.missed} missing` : '';
  return `last reading ${o.last}; ${o.failing} of ${plural(o.readings, 'reading')} failed${missed} (${o.consecutiveFailing} in a row, rolls back at ${o.limit})`;
}

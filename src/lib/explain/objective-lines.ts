import type { DriftReport, ObjectiveReport, RateReport, ReadingReport } from '../judge/index.js';
import { count, milliseconds, percent } from './words.js';

/** One line an objective: what was observed against what was asked, with its bounds; pure. */
export function objectiveLine(o: ObjectiveReport): string {
  const shown = o.type === 'rate' ? rateLine(o) : o.type === 'drift' ? driftLine(o) : readingLine(o);
  return `${shown}${o.missing ? `  [now: ${o.missing}]` : ''}`;
}

function rateLine(o: RateReport): string {
  if (!o.hasData) return `${o.name}: no data`;
  if (o.rate === null) return `${o.name}: no requests`;
  const bounds = o.bounds ? `, between ${percent(o.bounds.lower)} and ${percent(o.bounds.upper)}` : '';
  const badly = `${count(o.bad)} of ${count(o.total)} requests ${o.signal === 'errors' ? 'failed' : 'were slow'}`;
  if (o.relative) {
    const ratio =
      o.baseline?.ratio == null ? 'no ratio yet' : `${o.baseline.ratio.toPrecision(3)} times the baseline's`;
    return `${o.name}: ${badly}, ${ratio} (at most ${o.target} times)`;
  }
  if (o.signal === 'errors')
    return `${o.name}: ${badly} (${percent(o.rate)}${bounds}; at most ${percent(o.target)})${sinceOnset(o)}`;
  const slow = `${percent(o.rate)} slower than ${milliseconds(o.target)}${bounds}; at most ${percent(o.p0)} may be`;
  return `${o.name}: ${quantile(o)}${slow}${sinceOnset(o)}`;
}

/** A regression that began late is not seen in the rate of the whole window. */
function sinceOnset(o: RateReport): string {
  const { onset } = o;
  if (!o.rollback.against || !onset || onset.total <= 0 || onset.total >= o.total) return '';
  return `; from look ${onset.tick} on ${count(onset.bad)} of ${count(onset.total)} (${percent(onset.bad / onset.total)})`;
}

function quantile(o: RateReport): string {
  const { latency } = o;
  if (!latency || latency.value === null) return '';
  const p = `p${Math.round(latency.quantile * 100)}`;
  if (!latency.bucket) return `${p} above ${milliseconds(latency.value)}; `;
  const { lower, upper } = latency.bucket;
  return `${p} about ${milliseconds(latency.value)} (bucket ${count(lower)}-${milliseconds(upper)}); `;
}

function driftLine(o: DriftReport): string {
  if (!o.hasData) return `${o.name}: no data`;
  if (o.value === null) return `${o.name}: too few scores yet (${count(o.canaryTotal)} and ${count(o.baselineTotal)})`;
  const bounds = o.bounds ? `, between ${Math.max(0, o.bounds.lower).toFixed(3)} and ${o.bounds.upper.toFixed(3)}` : '';
  return `${o.name}: PSI ${Math.max(0, o.value).toFixed(3)}${bounds}; at most ${o.target}`;
}

function readingLine(o: ReadingReport): string {
  const asked = `${o.rule.name} ${o.rule.op} ${o.rule.value}`;
  if (!o.hasData) return `${asked}: no reading`;
  return `${asked}: last reading ${o.last}, ${o.failing} of ${o.readings} readings failed (${o.consecutiveFailing} in a row; acts at ${o.limit})`;
}

import type { DriftReport, ObjectiveReport, RateReport, ReadingReport, Verdict } from '../judge/index.js';
import { isEnd, missingText } from './objective-cells.js';
import { above, counted, drifted, inUnit, percentile } from './rate-facts.js';
import { clip, count, percent, plural } from './words.js';

/**
 * One sentence an objective: whether it is met, what was observed against its limit, with its bounds; pure.
 * @param atEnd the window has ended with this
 */
export function objectiveSentence(o: ObjectiveReport, atEnd: boolean): string {
  const only = o.reportOnly ? ' It is only reported, and decides nothing.' : '';
  if (!o.hasData) return `${label(o)}: ${clip(missingText(o.missing))}.${only}`;
  const now = o.missing === null || isEnd(o.missing) ? '' : ` Newest check: ${clip(missingText(o.missing))}.`;
  const numbers = o.type === 'rate' ? rate(o) : o.type === 'drift' ? drift(o) : reading(o);
  return `${label(o)} ${status(o, atEnd)}: ${numbers}.${now}${only}`;
}

/** Whether the window ended with this verdict. */
export function isAtEnd({ decision, savedSeconds }: Verdict): boolean {
  return decision !== 'continue' && savedSeconds === 0;
}

/**
 * Whether an objective is certified. `so far`: by a test that is exact at the window's end, and before it only says
 * how it would come out.
 */
export function certificate(o: ObjectiveReport, atEnd: boolean): 'yes' | 'so far' | 'no' {
  if (o.type === 'reading') return o.met ? (atEnd ? 'yes' : 'so far') : 'no';
  if (!o.promote.certified) return 'no';
  const anytime = o.promote.method === 'e-process' || o.promote.method === 'asymptotic-cs';
  return anytime || atEnd ? 'yes' : 'so far';
}

export function label(o: ObjectiveReport): string {
  return o.type === 'reading' ? `${o.rule.name} ${o.rule.op} ${o.rule.value}` : o.name;
}

function status(o: ObjectiveReport, atEnd: boolean): string {
  const against = o.type === 'reading' ? o.against : o.rollback.against;
  if (against)
    return o.type === 'rate' && o.attributable === 'no' ? 'is too high on both versions' : 'misses its target';
  const sure = certificate(o, atEnd);
  if (sure === 'no') return 'is undecided';
  if (sure === 'so far') return 'meets its target so far';
  return o.type === 'reading' ? 'meets its target by its readings' : 'meets its target, certified';
}

function rate(o: RateReport): string {
  if (o.rate === null) return 'no requests';
  if (o.relative) return `${badly(o)}, ${ratio(o)} (limit ${o.target}x)`;
  const bounds = o.bounds ? `, bounds ${percent(o.bounds.lower)} to ${percent(o.bounds.upper)}` : '';
  return `${quantile(o)}${badly(o)} (${percent(o.rate)}${bounds}, limit ${percent(o.p0)})`;
}

function badly(o: RateReport): string {
  const of = `${count(o.bad)} of ${plural(o.total, counted(o))}`;
  if (o.signal === 'errors') return `${of} failed`;
  if (o.relative) return `${of} were slow`;
  return `${of} ${o.latency?.exact === false ? 'certainly ' : ''}${above(o)}`;
}

function ratio(o: RateReport): string {
  return o.baseline?.ratio == null ? 'no ratio to the baseline' : `${times(o.baseline.ratio)}x the baseline's rate`;
}

/** A ratio as one says it. */
export function times(ratio: number): string {
  return String(Number(ratio.toPrecision(3)));
}

function quantile(o: RateReport): string {
  const { latency } = o;
  if (latency?.value == null) return '';
  const p = percentile(latency);
  if (!latency.bucket) return `${p} is above ${inUnit(o, latency.value)}; `;
  const { lower, upper } = latency.bucket;
  if (lower === null) return `${p} is ${inUnit(o, upper)} or less; `;
  return `${p} is about ${inUnit(o, latency.value)} (bucket ${count(lower)} to ${inUnit(o, upper)}); `;
}

function drift(o: DriftReport): string {
  const scores = `${plural(o.canaryTotal, drifted(o))} of the canary and ${count(o.baselineTotal)} of the baseline`;
  if (o.value === null) return `too few ${drifted(o)}s (${scores})`;
  const bounds = o.bounds ? `bounds ${psi(o.bounds.lower)} to ${psi(o.bounds.upper)}, ` : '';
  return `PSI ${psi(o.value)} (${bounds}limit ${o.target}), from ${scores} in ${o.by === 'categories' ? plural(o.bins, 'category', 'categories') : plural(o.bins, 'bucket')}`;
}

/** The estimate has its bias taken off, and may then be below zero. */
function psi(x: number): string {
  return Math.max(0, x).toFixed(3);
}

function reading(o: ReadingReport): string {
  const failed = `${count(o.failing)} of ${plural(o.readings, 'reading')} failed`;
  return `last reading ${o.last}; ${failed}, ${o.consecutiveFailing} in a row now (rolls back at ${o.limit} in a row)`;
}

import type { DriftReport, ObjectiveReport, RateReport, ReadingReport, Verdict } from '../judge/index.js';
import { clip, count, milliseconds, percent, plural } from './words.js';

/**
 * One sentence an objective: whether it is met, what was observed against what was asked, with its bounds; pure.
 * @param atEnd the window has ended with this
 */
export function objectiveSentence(o: ObjectiveReport, atEnd: boolean): string {
  if (!o.hasData) return `${label(o)} has no data${o.missing ? ` (${clip(o.missing)})` : ''}.`;
  const now = o.missing ? ` Newest look: ${clip(o.missing)}.` : '';
  const said = o.type === 'rate' ? rate(o) : o.type === 'drift' ? drift(o) : reading(o);
  return `${label(o)} ${standing(o, atEnd)}: ${said}.${now}`;
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

function standing(o: ObjectiveReport, atEnd: boolean): string {
  const against = o.type === 'reading' ? o.against : o.rollback.against;
  if (against) return o.type === 'rate' && o.attributable === 'no' ? 'is missed' : 'misses its target';
  const sure = certificate(o, atEnd);
  if (sure === 'no') return 'is undecided';
  if (sure === 'so far') return 'meets its target so far';
  return o.type === 'reading' ? 'meets its target by its readings' : 'meets its target for certain';
}

function rate(o: RateReport): string {
  if (o.rate === null) return 'no requests came';
  if (o.relative) return `${badly(o)}, ${ratio(o)} where at most ${o.target} times is allowed`;
  const limit = `where at most ${percent(o.p0)} may${o.signal === 'errors' ? '' : ' be'}`;
  const bounds = o.bounds
    ? `; the true share lies between ${percent(o.bounds.lower)} and ${percent(o.bounds.upper)}`
    : '';
  return `${quantile(o)}${badly(o)}, ${percent(o.rate)} ${limit}${bounds}`;
}

function badly(o: RateReport): string {
  const of = `${count(o.bad)} of ${plural(o.total, 'request')}`;
  if (o.signal === 'errors') return `${of} failed`;
  if (o.relative) return `${of} were slow`;
  return `${of} were ${o.latency?.exact === false ? 'surely ' : ''}slower than ${milliseconds(o.target)}`;
}

function ratio(o: RateReport): string {
  return o.baseline?.ratio == null
    ? 'of which no ratio to the baseline can be told,'
    : `${times(o.baseline.ratio)} times the baseline's rate`;
}

/** A ratio as one says it. */
export function times(ratio: number): string {
  return String(Number(ratio.toPrecision(3)));
}

function quantile({ latency }: RateReport): string {
  if (latency?.value == null) return '';
  const p = `p${Math.round(latency.quantile * 100)}`;
  if (!latency.bucket) return `${p} is above ${milliseconds(latency.value)}; `;
  const { lower, upper } = latency.bucket;
  return `${p} is about ${milliseconds(latency.value)} (in the bucket ${count(lower)} to ${milliseconds(upper)}); `;
}

function drift(o: DriftReport): string {
  const scores = `${plural(o.canaryTotal, 'score')} of the canary and ${count(o.baselineTotal)} of the baseline`;
  if (o.value === null) return `too few scores yet (${scores})`;
  const bounds = o.bounds ? ` (between ${psi(o.bounds.lower)} and ${psi(o.bounds.upper)})` : '';
  return `PSI ${psi(o.value)}${bounds} where at most ${o.target} is allowed, from ${scores} in ${plural(o.bins, 'bin')}`;
}

/** The estimate has its bias taken off, and may then be below zero. */
function psi(x: number): string {
  return Math.max(0, x).toFixed(3);
}

function reading(o: ReadingReport): string {
  const failed = `${count(o.failing)} of ${plural(o.readings, 'reading')} failed, ${o.consecutiveFailing} in a row now`;
  return `the last reading was ${o.last}; ${failed} (it acts at ${o.limit})`;
}

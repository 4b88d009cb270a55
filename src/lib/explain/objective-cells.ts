import type { DriftReport, ObjectiveReport, RateReport, ReadingReport } from '../judge/index.js';
import { briefMilliseconds, briefPercent, briefPsi } from './brief.js';
import { beyond, drifted, hasNoBucketAtLimit, inUnit, lateOnset, percentile, sidesOf } from './rate-facts.js';
import { clip, percent } from './words.js';

/** One objective as the first screen shows it: `✓ latency_p95_ms  91 ms (limit 250 ms)`; pure. */
export function objectiveCell(o: ObjectiveReport): string {
  return `${mark(o)} ${o.name}  ${objectiveValue(o)}${o.reportOnly ? ', report only' : ''}`;
}

/** The value beside its limit: `91 ms (limit 250 ms)`. */
export function objectiveValue(o: ObjectiveReport): string {
  // The cause has the details; here they would hide the numbers.
  const state = o.missing?.split(':')[0] ?? null;
  if (!o.hasData) return missingText(state);
  const now = state === null || isEnd(state) ? '' : `, no data now (${clip(state)})`;
  const value = o.type === 'rate' ? rateValue(o) : o.type === 'drift' ? driftValue(o) : readingValue(o);
  return `${value}${now}`;
}

/** ✗ it counts against the canary, ✓ certified, ? neither. */
export function mark(o: ObjectiveReport): '✗' | '✓' | '?' {
  if (o.type === 'reading') return o.against ? '✗' : o.met ? '✓' : '?';
  if (o.rollback.against) return '✗';
  return o.promote.certified ? '✓' : '?';
}

/** Why there is no number, e.g. `no data (absent: model_score_bucket)`. */
export function missingText(missing: string | null): string {
  if (missing === null) return 'no data';
  if (missing.startsWith('first')) return 'waiting for the first counts';
  if (isEnd(missing)) return 'the input has ended';
  return `no data (${clip(missing, 120)})`;
}

/** An input that has ended says nothing about the canary. */
export function isEnd(missing: string): boolean {
  return missing.startsWith('ended');
}

function rateValue(o: RateReport): string {
  if (o.rate === null) return o.histogram ? `no ${o.histogram.name} values` : 'no requests';
  if (o.relative) return `${ratioValue(o)} (limit ${o.target}x)`;
  const limit = percent(o.p0);
  const late = lateOnset(o);
  const errors = o.signal === 'errors';
  if (late) {
    const slow = errors ? '' : ` ${slower(o)}`;
    return `${briefPercent(late.bad / late.total, o.p0)}${slow} since check ${late.tick} (limit ${limit})`;
  }
  if (errors) return `${briefPercent(o.rate, o.p0)} (limit ${limit})`;
  const { latency } = o;
  const bucket = hasNoBucketAtLimit(o) ? ', no bucket that high' : '';
  if (latency?.value == null) return `${briefPercent(o.rate, o.p0)} ${slower(o)} (limit ${limit})`;
  const value = latency.bucket
    ? o.histogram?.unit === '1'
      ? inUnit(o, Number(latency.value.toPrecision(3)))
      : briefMilliseconds(latency.value, o.target)
    : `${percentile(latency)} above ${inUnit(o, latency.value)}`;
  return `${value} (limit ${inUnit(o, o.target)}${bucket})`;
}

function slower(o: RateReport): string {
  return o.histogram === undefined ? `slower than ${inUnit(o, o.target)}` : beyond(o);
}

function ratioValue(o: RateReport): string {
  const ratio = o.baseline?.ratio;
  if (ratio != null) return `${Number(ratio.toPrecision(3))}x`;
  if (o.baseline === null) return 'no baseline';
  return o.bad === 0 ? `no ${sidesOf(o).bad} on either side` : `no ${sidesOf(o).bad} in the baseline`;
}

function driftValue(o: DriftReport): string {
  if (o.value === null) return `too few ${drifted(o)}s`;
  return `${briefPsi(o.value, o.target)} (limit ${o.target})`;
}

function readingValue({ last, rule }: ReadingReport): string {
  return `${last} (limit ${rule.op} ${rule.value})`;
}

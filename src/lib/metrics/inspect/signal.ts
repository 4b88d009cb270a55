import { type Selector, showSelector } from '../promql/index.js';
import {
  type HistogramSource,
  helpContradiction,
  SCALES,
  type Signals,
  type Unit,
  unitContradiction,
  unitOfName,
} from '../signals/index.js';
import { type Absence, absence, type Kind, ownSeries, seen } from './absence.js';
import type { Arm } from './arm.js';
import type { Finding } from './facts.js';
import type { Limit, Needs } from './needs.js';
import { notCounts } from './not-counts.js';
import { numbers, plural } from './words.js';

/** What was found of the signals that a policy needs, but for errors. */
export function signalFindings(arm: Arm, other: Arm | null, signals: Signals, needs: Needs): Finding[] {
  const { requests, histograms, drift } = signals;
  const found: Finding[] = [];
  if (needs.errors.length > 0)
    for (const { selector } of requests?.terms ?? [])
      found.push(...(isOfFailures(selector, signals) ? [] : requestFindings(arm, other, selector, signals)));
  for (const [name, limits] of needs.histograms) {
    const source = histograms[name];
    if (source !== undefined) found.push(...histogramFindings(arm, other, name, source, limits));
  }
  if (!needs.drift || drift === null) return found;
  if (drift.kind === 'histogram') return [...found, ...histogramFindings(arm, other, 'drift', drift.histogram, [])];
  const missing = absence(arm, drift.counts, 'counter', false, other);
  if (missing !== null) return [...found, asFinding(arm, 'drift', 'counter', missing)];
  const own = ownSeries(arm, drift.counts, 'counter');
  const { values, words } = seen(drift.by, own);
  const finding = { arm: arm.name, signal: 'drift', words: `${drift.counts.name}: ${words}` };
  return [...found, { ...finding, level: values.length === 0 ? 'fatal' : 'info' }];
}

/** A part of the requests that counts failed ones alone appears with the first failure; what is said of errors is said of it. */
function isOfFailures(selector: Selector, { requests, errors }: Signals): boolean {
  const more = requests?.terms.some((term) => term.sign === 1 && term.selector.name !== selector.name) ?? false;
  return more && (errors?.terms.some((term) => term.selector.name === selector.name) ?? false);
}

function requestFindings(arm: Arm, other: Arm | null, selector: Selector, { requests }: Signals): Finding[] {
  const parts = (requests?.terms ?? []).map((term) => term.selector.name);
  const missing = absence(arm, selector, 'counter', false, other, parts);
  if (missing !== null) return [asFinding(arm, 'requests', 'counter', missing)];
  return [...notCounts(arm, 'requests', selector), counted(arm, 'requests', selector)];
}

/** How many series there are, and what they have counted. */
export function counted(arm: Arm, signal: string, selector: Selector): Finding {
  const own = ownSeries(arm, selector, 'counter');
  const total = own.reduce((sum, { value }) => sum + (Number.isFinite(value) ? value : 0), 0);
  return {
    level: 'info',
    arm: arm.name,
    signal,
    words: `${showSelector(selector)}: ${plural(own.length, 'series', 'series')}, ${numbers(total)} so far`,
  };
}

function histogramFindings(
  arm: Arm,
  other: Arm | null,
  signal: string,
  source: HistogramSource,
  limits: readonly Limit[],
): Finding[] {
  const selector = { name: source.name, matchers: [...source.matchers] };
  const wrong = unitFinding(arm, signal, source);
  // Where all requests have failed, those that succeed may be the ones whose latency is observed.
  const rare = (arm.traffic ?? 0) > 0 && arm.succeeded <= 0;
  const missing = absence(arm, selector, 'histogram', rare, other);
  if (missing !== null) return [...wrong, asFinding(arm, signal, 'histogram', missing)];
  const buckets = ownSeries(arm, selector, 'histogram');
  const bounds = [...new Set(buckets.map(({ labels }) => Number(labels['le'])))]
    .filter((le) => Number.isFinite(le))
    .map((le) => le * source.scale)
    .sort((a, b) => a - b);
  const of = { arm: arm.name, signal };
  const shown = boundsShown(bounds, source.unit);
  const unmet = limits.filter(({ limit }) => !(bounds.at(-1)! >= limit * (1 - 1e-9)));
  const far = limits.filter((each) => !unmet.includes(each) && isAbove(bounds[0]!, each));
  const info = `${source.name}: ${plural(new Set(buckets.map((b) => JSON.stringify({ ...b.labels, le: '' }))).size, 'series', 'series')}, ${shown}`;
  return [
    ...wrong,
    ...unmet.map(
      ({ objective, limit }): Finding => ({
        ...of,
        level: 'fatal',
        words: `${objective} ${shownLimit(limit, source.unit)}: ${source.name} has no bucket that ends at or above it (${shown}), so it can never be decided`,
        advice: 'Add a bucket at the limit to the histogram, or choose a limit at one of its bounds.',
      }),
    ),
    ...far.map(
      ({ objective, limit, strict }): Finding => ({
        ...of,
        level: 'fatal',
        words: `${objective} ${shownLimit(limit, source.unit)}: ${source.name} has no bucket that ends ${strict ? 'below it, and the limit itself fails' : 'at or below it'} (${shown}), so that it is met can never be certified`,
        advice:
          otherUnit(source, bounds, limit) ??
          'Add a bucket at the limit to the histogram, or choose a limit at one of its bounds.',
      }),
    ),
    { ...of, level: 'info', words: info },
  ];
}

/** Whether the bucket that ends there may hold what fails. */
function isAbove(bound: number, { limit, strict }: Limit): boolean {
  return strict ? bound >= limit * (1 - 1e-9) : bound > limit * (1 + 1e-9);
}

/** What to write where the bounds would hold the limit in another unit than the one that was assumed; null: they would not. */
function otherUnit({ name, unit, scale }: HistogramSource, bounds: readonly number[], limit: number): string | null {
  if (unitOfName(name) !== null || unit === '1') return null;
  const [lowest, highest] = [bounds[0]! / scale, bounds.at(-1)! / scale];
  const fitting = UNITS_BY_SIZE.find(
    (one) => SCALES[one] < scale && lowest * SCALES[one] <= limit && limit <= highest * SCALES[one],
  );
  return fitting === undefined
    ? null
    : `Its bounds are read in ${unit}: if they are ${fitting}, write unit: ${fitting} beside histogram: ${name}.`;
}

const UNITS_BY_SIZE = ['ms', 'us', 'ns'] as const;

function boundsShown(bounds: readonly number[], unit: Unit): string {
  if (bounds.length === 0) return 'no finite bounds';
  const shown = bounds.length <= 6 ? bounds : [...bounds.slice(0, 2), ...bounds.slice(-3)];
  const texts = shown.map((bound) => String(Number(bound.toPrecision(6))));
  if (shown !== bounds) texts.splice(2, 0, '...');
  return `bounds ${texts.join(', ')}${unit === '1' ? '' : ' ms'}`;
}

function shownLimit(limit: number, unit: Unit): string {
  return `${limit}${unit === '1' ? '' : ' ms'}`;
}

/** What the page says of the unit. */
function unitFinding(arm: Arm, signal: string, { name, unit }: HistogramSource): Finding[] {
  const families = arm.families.filter((family) => family.name === name);
  const declared = families.find((family) => family.unit !== null)?.unit ?? null;
  const words = declared === null ? unitOfHelp(families, name, unit) : unitContradiction(name, unit, declared);
  return words === null ? [] : [{ level: 'fatal', arm: arm.name, signal, words }];
}

function unitOfHelp(families: readonly Arm['families'][number][], name: string, unit: Unit): string | null {
  if (unitOfName(name) !== null) return null;
  const help = families.find((family) => family.help !== undefined)?.help;
  return help === undefined ? null : helpContradiction(name, unit, help);
}

/** An absence, as far as it matters: requests that succeeded have left what they leave. */
export function asFinding(arm: Arm, signal: string, kind: Kind, { chance, words, advice }: Absence): Finding {
  const of = { arm: arm.name, signal, words, ...(advice === undefined ? {} : { advice }) };
  if (chance === 'never') return { ...of, level: 'fatal' };
  const served = kind === 'histogram' && arm.succeeded > 0;
  if (chance === 'unlikely' || served) return { ...of, level: 'fatal', mayAppear: true };
  return { ...of, level: 'warning' };
}

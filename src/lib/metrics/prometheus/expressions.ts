import { LukhasError } from '../../errors.js';
import { type PromqlShape, parseSelector, promqlShape, type ShapeTerm } from '../promql/index.js';
import {
  type HistogramSource,
  parseSignals,
  SCALES,
  type Signals,
  type SignalsConfig,
  unitOfName,
} from '../signals/index.js';
import { queryPlace } from './config.js';

/** What the user's own expressions say about signals: counters behind them, or that a signal has none. */
export interface ExpressionSignals {
  /** Null: an expression stands for the errors, and there are no counters behind it. Left out: no expression. */
  errors?: Pick<Signals, 'requests' | 'errors'> | null;
  /** By the histogram's name in objectives; null as above. */
  histograms: Record<string, HistogramSource | null>;
  /** An expression gives the drift. */
  drift: boolean;
  /** The value of an expression is divided by this to be a share. */
  percent: ReadonlySet<string>;
}

type Quantile = Extract<PromqlShape, { kind: 'quantile' }>;
type Ratio = Extract<PromqlShape, { kind: 'ratio' }>;

/**
 * Raw counters are those that a known shape of the user's own expression names. An expression of another shape stands
 * alone: its signal has no counters.
 */
export function expressionSignals(queries: Readonly<Record<string, string>>): ExpressionSignals {
  const found: ExpressionSignals = { histograms: quantilesIn(queries), drift: 'drift' in queries, percent: new Set() };
  const errors = queries['error_rate'];
  if (errors === undefined) return found;
  const shape = promqlShape(errors);
  // Any other factor makes the value something else than a share of requests.
  const share = shape?.kind === 'ratio' && (shape.factor === 1 || shape.factor === 100) ? shape : null;
  found.errors = share && ratioSignals(share);
  if (found.errors && share?.factor === 100) found.percent = new Set(['error_rate']);
  return found;
}

/** Name of a histogram and the quantile that an objective of this name limits, as in `ttft_p95_ms`; null for another name. */
export function quantileName(name: string): { histogram: string; q: number } | null {
  const [, histogram, digits] = /^(\w+)_p(\d{1,4})_ms$/.exec(name) ?? [];
  if (histogram === undefined || digits === undefined) return null;
  // p5 is 0.05; p99 is 0.99, p999 is 0.999.
  const q = digits.length === 1 ? Number(digits) / 100 : Number(`0.${digits}`);
  return q > 0 ? { histogram, q } : null;
}

/** Two expressions of one histogram that disagree would be judged on the counts of one: then none has counters. */
function quantilesIn(queries: Readonly<Record<string, string>>): Record<string, HistogramSource | null> {
  const found: Record<string, HistogramSource | null> = {};
  for (const [name, expr] of Object.entries(queries)) {
    const wanted = quantileName(name);
    if (wanted === null) continue;
    const shape = promqlShape(expr);
    const fits = shape?.kind === 'quantile' && Math.abs(shape.q - wanted.q) < 1e-9;
    const source = fits ? histogramOf(shape) : null;
    const known = found[wanted.histogram];
    found[wanted.histogram] = known === undefined || isSame(known, source) ? source : null;
  }
  return found;
}

function isSame(a: HistogramSource | null, b: HistogramSource | null): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** The factor of an expression in milliseconds is what its bounds are multiplied by. */
function histogramOf({ bucketSelector, factor }: Quantile): HistogramSource | null {
  const selector = parseSelector(bucketSelector);
  if (!selector) return null;
  const unit = factor === 1000 ? 's' : 'ms';
  return { name: selector.name.replace(/_bucket$/, ''), matchers: selector.matchers, unit, scale: factor };
}

function ratioSignals({ numerator, denominator }: Ratio): Pick<Signals, 'requests' | 'errors'> | null {
  const config: SignalsConfig = {
    preset: null,
    requests: sumText(denominator),
    // A failure that has no series yet is none only where that follows from the requests' own series.
    errors: { count: sumText(numerator), absent: 'no_data' },
    histograms: {},
    drift: null,
    inflight: null,
  };
  try {
    const { requests, errors } = parseSignals(config);
    return { requests, errors };
  } catch (error) {
    // What is wrong with it Prometheus says itself when the canary starts.
    if (error instanceof LukhasError) return null;
    throw error;
  }
}

function sumText(terms: readonly ShapeTerm[]): string {
  return terms.map(({ sign, selector }, i) => (i === 0 ? selector : `${sign === 1 ? '+' : '-'} ${selector}`)).join(' ');
}

/** @throws LukhasError PROMQL where a quantile that is limited in milliseconds is in another unit by its metric's name. */
export function checkUnits(queries: Readonly<Record<string, string>>): void {
  for (const [name, expr] of Object.entries(queries)) {
    const shape = quantileName(name) === null ? null : promqlShape(expr);
    if (shape?.kind !== 'quantile') continue;
    const metric = histogramOf(shape)?.name ?? '';
    const told = unitOfName(metric);
    if (told === null || Math.abs(shape.factor / SCALES[told.unit] - 1) < 1e-9) continue;
    const wanted = SCALES[told.unit] === 1 ? 'leave it as it is' : `multiply it by ${SCALES[told.unit]}`;
    throw new LukhasError('PROMQL', `${queryPlace(name)} must be in milliseconds, and ${told.because}: ${wanted}`);
  }
}

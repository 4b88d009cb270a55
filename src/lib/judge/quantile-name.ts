import type { CustomObjective } from './policy.js';

/** What an objective asks of a histogram: at most 1 - `quantile` of its values may be above the limit. */
export interface QuantileQuestion {
  /** Name of the histogram, as observations have it; `latency` is that of the requests. */
  histogram: string;
  quantile: number;
  /** Unit of the limit; `1`: a plain number. */
  unit: 'ms' | '1';
  /**
   * The limit itself fails, too: `retries_p95 < 1` asks for no retries, and a bucket that ends at 1 has those with one.
   * Of times, which hardly ever are the limit to the bit, `<` says the same as `<=`.
   */
  strict?: true;
}

const NAME = /^(.+)_p(\d+)(?:[._](\d+))?(_ms)?$/;

/**
 * What a name like `ttft_p95_ms`, `e2e_p99_9_ms` or `tokens_p50` asks: the quantile of a histogram of that name, in
 * milliseconds where the name ends so. Three digits and more are decimals, as is usual: p999 is 0.999.
 * @returns null for any other name, and for `>` and `>=`, which counts above a limit cannot certify
 */
export function quantileQuestion({ name, op }: CustomObjective): QuantileQuestion | null {
  if (op !== '<' && op !== '<=') return null;
  const [, histogram, digits, decimals = '', ms] = NAME.exec(name) ?? [];
  if (histogram === undefined || digits === undefined) return null;
  const percent =
    digits.length < 3 ? `${digits}.${decimals}` : decimals === '' ? `${digits.slice(0, 2)}.${digits.slice(2)}` : '';
  // Read as text, because 99.9 / 100 is not 0.999 in binary.
  const quantile = Number((Number(percent) / 100).toPrecision(12));
  if (percent === '' || digits === '100' || !(quantile > 0 && quantile < 1)) return null;
  if (ms !== undefined) return { histogram, quantile, unit: 'ms' };
  return { histogram, quantile, unit: '1', ...(op === '<' ? { strict: true as const } : {}) };
}

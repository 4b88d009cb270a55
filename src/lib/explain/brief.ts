import { count, odds, percent } from './words.js';

/**
 * Numbers as the first screen shows them, with the two digits that matter; pure. A value beside its limit keeps more
 * digits where two would make the two look the same.
 */
export function briefPercent(rate: number, limit: number | null = null): string {
  return beside(rate, limit, shortPercent, percent);
}

export function briefMilliseconds(ms: number, limit: number | null = null): string {
  return beside(ms, limit, shortMs, (x) => `${Number(x.toPrecision(6))} ms`);
}

export function briefPsi(value: number, limit: number | null = null): string {
  return beside(
    Math.max(0, value),
    limit,
    (x) => x.toFixed(2),
    (x) => x.toFixed(4),
  );
}

/** `83,000:1`; below 1,000 as exact as `odds`, because that is where a canary is rolled back. */
export function briefOdds(logE: number): string {
  const e = Math.exp(Math.abs(logE));
  if (e < 1000 || e >= 1e6) return odds(logE);
  const rounded = count(Number(e.toPrecision(2)));
  return logE >= 0 ? `${rounded}:1` : `1:${rounded}`;
}

function beside(value: number, limit: number | null, short: (x: number) => string, exact: (x: number) => string) {
  const text = short(value);
  return limit !== null && value !== limit && text === short(limit) ? exact(value) : text;
}

function shortPercent(rate: number): string {
  const p = Number((rate * 100).toPrecision(2));
  // Not quite all of them is not all of them, and what is too small for two digits is for `percent` to say.
  return (p === 100 && rate < 1) || p < 0.001 ? percent(rate) : `${p}%`;
}

function shortMs(ms: number): string {
  return `${ms >= 10 ? Math.round(ms) : Number(ms.toPrecision(2))} ms`;
}

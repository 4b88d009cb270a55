/** 12 significant digits: what is recorded must not depend on the last bits of an engine's transcendental functions. */
export function significant(x: number): number {
  return Number(x.toPrecision(12));
}

/** As `significant`, keeping null. */
export function significantOrNull(x: number | null): number | null {
  return x === null || !Number.isFinite(x) ? null : significant(x);
}

/** Log e-values are shown from here up: E = 0 has no logarithm that JSON could carry, and E < 2e-22 tells nothing more. */
const LOG_FLOOR = -50;

export function shownLogE(logE: number): number {
  return significant(Math.max(LOG_FLOOR, logE));
}

const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** `12,340`. */
export function numbers(n: number): string {
  return WHOLE.format(n);
}

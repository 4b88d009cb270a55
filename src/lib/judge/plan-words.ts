/** A count for reading, rounded up to two digits that matter: 2,100; 0.36; 48,000. */
export function formatCount(count: number): string {
  if (count <= 0) return '0';
  const unit = 10 ** (Math.floor(Math.log10(count)) - 1);
  const rounded = Number((Math.ceil(count / unit - 1e-9) * unit).toPrecision(2));
  return rounded.toLocaleString('en-US', { maximumSignificantDigits: 2 });
}

/** A span of time for reading: 45 s, 2 min, 3.5 h, 12 days. */
export function formatSpan(seconds: number): string {
  const [unit, size] = (
    [
      ['days', 86_400],
      ['h', 3600],
      ['min', 60],
    ] as const
  ).find(([, least]) => seconds >= 2 * least) ?? ['s', 1];
  return `${Number((seconds / size).toPrecision(3))} ${unit}`;
}

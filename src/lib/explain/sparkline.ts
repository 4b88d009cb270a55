const BARS = '▁▂▃▄▅▆▇█';

/**
 * Values as a row of bars, the highest within each column: a peak is never lost.
 * @param top the value that fills a bar; `bottom` leaves it empty
 * @param width columns at most
 */
export function sparkline(values: readonly number[], bottom: number, top: number, width: number): string {
  const columns = Math.min(width, values.length);
  const span = top - bottom;
  let line = '';
  for (let c = 0; c < columns; c++) {
    const from = Math.floor((c * values.length) / columns);
    const to = Math.floor(((c + 1) * values.length) / columns);
    const height = span > 0 ? (Math.max(...values.slice(from, to)) - bottom) / span : 0;
    line += BARS[Math.max(0, Math.min(BARS.length - 1, Math.floor(height * BARS.length)))];
  }
  return line;
}

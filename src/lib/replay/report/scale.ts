/** Where values fall on an axis, and where its marks are. */
export interface Scale {
  (value: number): number;
  marks: number[];
}

const SECONDS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400];

/**
 * Time since a start on `width` pixels from `left` on.
 * @param spanMs what the axis covers; marks are in ms since its begin
 */
export function timeScale(spanMs: number, left: number, width: number): Scale {
  const span = Math.max(1, spanMs);
  const rough = span / 8000;
  const step = 1000 * (SECONDS.find((s) => s >= rough) ?? Math.ceil(rough / 86_400) * 86_400);
  return scale(0, span, left, left + width, step);
}

/** Beyond these the arithmetic of an axis has no digits left; nothing that is measured is so large. */
const LARGEST = 1e150;

/** Values from the bottom pixel up to the top one; both ends at a mark. */
export function valueScale(least: number, greatest: number, bottom: number, top: number): Scale {
  const [low, high] = [within(least), within(greatest)];
  const size = Math.max(Math.abs(low), Math.abs(high));
  const span = high - low > Math.max(1 / LARGEST, size * 1e-9) ? high - low : size || 1;
  const step = roundStep(Math.max(1 / LARGEST, span) / 4);
  const begin = Math.floor(low / step) * step;
  const end = Math.max(begin + step, Math.ceil((high / step) * (1 - 1e-12)) * step);
  return scale(begin, end, bottom, top, step);
}

function within(value: number): number {
  return Math.min(LARGEST, Math.max(-LARGEST, value));
}

/** 1, 2, 2.5 or 5 times a power of ten, at least `rough`. */
function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 2.5, 5].find((f) => f * power >= rough * (1 - 1e-9)) ?? 10;
  return factor * power;
}

/** What lies outside is drawn at the edge. */
function scale(begin: number, end: number, first: number, last: number, step: number): Scale {
  const place = (value: number) =>
    first + ((Math.min(end, Math.max(begin, value)) - begin) / (end - begin)) * (last - first);
  const count = Math.floor((end - begin) / step + 1e-6);
  const marks = Array.from({ length: count + 1 }, (_, i) => Number((begin + i * step).toPrecision(12)));
  return Object.assign(place, { marks });
}

/** A tenth of a pixel is as fine as one sees. */
export function pixel(x: number): number {
  return Math.round(x * 10) / 10;
}

import { seconds } from '../../lib/explain/index.js';
import { amount, type Course, type Marker, type Series } from '../../lib/view/index.js';
import type { Line, Span } from './line.js';
import { clipped, column, cut, span, widthOf } from './line.js';

/** The time that charts of one canary share, and how large they are: rows of dots, and columns with the scale. */
export interface Frame {
  /** Ms since the epoch. */
  from: number;
  to: number;
  width: number;
  rows: number;
  markers: readonly Marker[];
}

/** Columns of the scale. */
const SCALE = 9;
/** Bits of the dots of a Braille cell, by column and row. */
const DOTS = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
] as const;

type Layer = 'canary' | 'baseline' | 'band';

interface Cell {
  dots: number;
  layer: Layer | null;
}

type Point = readonly [t: number, value: number | null];

interface Curve {
  layer: Layer;
  points: readonly Point[];
}

interface Plot {
  bottom: number;
  top: number;
  limit: number;
  text(value: number): string;
  /** Those that come first are drawn over. */
  curves: readonly Curve[];
  /** Times without a value: from, to. */
  gaps: readonly (readonly [number, number])[];
}

/** An objective over time: canary, baseline, bounds, the limit, gaps and what happened. */
export function seriesChart(series: Series, frame: Frame): Line[] {
  const { name, unit, limit, points, bands, bandUnit } = series;
  const own = bandUnit === unit ? bands : [];
  const values = points.flatMap(({ canary, baseline }) => [canary, baseline]).filter((v): v is number => v !== null);
  const baseline = points.some((point) => point.baseline !== null);
  const head = [
    span(name, { bold: true }),
    span('  '),
    span('canary', { tone: 'active' }),
    ...(baseline ? [span('  baseline', { tone: 'quiet' })] : []),
    ...(own.length > 1 ? [span('  bounds', { tone: 'warn' })] : []),
    span(`  ─ limit ${amount(limit, unit)}`, { tone: 'bad' }),
  ];
  if (values.length === 0) return [clipped(head, frame.width), [span(`  ${emptyText(series)}`, { tone: 'quiet' })]];
  const top = Math.max(limit * 1.15, ...values, ...own.map(({ upper }) => Math.min(upper, limit * 2)), 1e-9);
  const plot: Plot = {
    bottom: 0,
    top,
    limit,
    text: (value) => amount(value, unit),
    curves: [
      { layer: 'band', points: own.map(({ t, upper }) => [t, Math.min(top, upper)] as const) },
      { layer: 'band', points: own.map(({ t, lower }) => [t, lower] as const) },
      { layer: 'baseline', points: points.map((point) => [point.t, point.baseline] as const) },
      { layer: 'canary', points: points.map(({ t, canary }) => [t, canary] as const) },
    ],
    gaps: points.flatMap(({ t, canary, state }, i) =>
      canary === null && state !== 'over_window' ? [[points[i - 1]?.t ?? t, t] as const] : [],
    ),
  };
  return [clipped(head, frame.width), ...plotted(plot, frame)];
}

function emptyText({ points }: Series): string {
  if (points.length === 0) return 'nothing counted yet';
  const states = [...new Set(points.map(({ state }) => state))];
  if (states.length === 1 && states[0] === 'over_window') return 'computed over the window, not check by check';
  return `no check has a value (${states.join(', ')})`;
}

/** The evidence against the canary, in powers of ten. */
export function evidenceChart({ evidence, logThreshold }: Course, frame: Frame): Line[] {
  const points = evidence.map(({ t, logE }) => [t, logE / Math.LN10] as const);
  const limit = logThreshold / Math.LN10;
  const values = points.map(([, value]) => value);
  const text = (value: number) =>
    value >= 0 ? `${Number((10 ** value).toPrecision(2))}:1` : `1:${Number((10 ** -value).toPrecision(2))}`;
  const plot: Plot = {
    bottom: Math.max(-2, Math.min(0, ...values)),
    top: Math.max(limit * 1.2, ...values),
    limit,
    text,
    curves: [{ layer: 'canary', points }],
    gaps: [],
  };
  const head = [span('evidence against it', { bold: true }), span(`  ─ rolls back at ${text(limit)}`, { tone: 'bad' })];
  return [clipped(head, frame.width), ...plotted(plot, frame)];
}

function plotted(plot: Plot, frame: Frame): Line[] {
  const wide = Math.max(4, frame.width - SCALE - 1);
  const { rows } = frame;
  const y = (value: number) => Math.round(((plot.top - value) / (plot.top - plot.bottom)) * (rows * 4 - 1));
  const x = (t: number) => Math.round(((t - frame.from) / Math.max(1, frame.to - frame.from)) * (wide * 2 - 1));
  const cells = canvas(wide, rows);
  for (const { layer, points } of plot.curves) draw(cells, layer, points, x, y);
  const gaps = new Set(plot.gaps.flatMap(([from, to]) => between(Math.floor(x(from) / 2), Math.floor(x(to) / 2))));
  const marked = new Set(frame.markers.map(({ t }) => Math.max(0, Math.min(wide - 1, Math.floor(x(t) / 2)))));
  const limitRow = Math.floor(y(plot.limit) / 4);
  const lines = cells.map((row, i) => {
    const scale = i === limitRow ? plot.limit : i === 0 ? plot.top : i === rows - 1 ? plot.bottom : null;
    const text = scale === null ? '' : cut(plot.text(scale), SCALE);
    const axis: Span[] = [
      span(text.padStart(SCALE - Math.max(0, widthOf(text) - text.length)), {
        tone: i === limitRow ? 'bad' : 'quiet',
      }),
      span(i === limitRow ? '┤' : '│', { tone: 'quiet' }),
    ];
    return [...axis, ...runs(row, { isLimit: i === limitRow, gaps, marked })];
  });
  return [...lines, timeAxis(frame, wide), ...markerLines(frame, x)];
}

function canvas(width: number, rows: number): Cell[][] {
  return Array.from({ length: rows }, () => Array.from({ length: width }, () => ({ dots: 0, layer: null })));
}

function between(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) + 1 }, (_, i) => from + i);
}

type Scale = (value: number) => number;

/** Neighbouring values are joined; a value that is missing leaves a gap. */
function draw(cells: Cell[][], layer: Layer, points: readonly Point[], x: Scale, y: Scale): void {
  let last: readonly [number, number] | null = null;
  for (const [t, value] of points) {
    if (value === null) {
      last = null;
      continue;
    }
    const here = [x(t), y(value)] as const;
    const [fromX, fromY]: readonly [number, number] = last ?? here;
    const steps = Math.max(1, Math.abs(here[0] - fromX), Math.abs(here[1] - fromY));
    for (let i = last === null ? steps : 0; i <= steps; i++) {
      const part = i / steps;
      dot(cells, layer, Math.round(fromX + (here[0] - fromX) * part), Math.round(fromY + (here[1] - fromY) * part));
    }
    last = here;
  }
}

function dot(cells: Cell[][], layer: Layer, x: number, y: number): void {
  const cell = cells[Math.floor(y / 4)]?.[Math.floor(x / 2)];
  if (cell === undefined) return;
  cell.dots |= DOTS[x % 2 === 0 ? 0 : 1][y % 4]!;
  cell.layer = layer;
}

const LAYERS = { canary: 'active', baseline: 'quiet', band: 'warn' } as const;

interface Behind {
  isLimit: boolean;
  gaps: ReadonlySet<number>;
  marked: ReadonlySet<number>;
}

/** Cells of one look are one span. */
function runs(row: readonly Cell[], behind: Behind): Span[] {
  const spans: { text: string; tone: NonNullable<Span['tone']> }[] = [];
  for (const [i, cell] of row.entries()) {
    const { text, tone } = cellSpan(cell, i, behind);
    const last = spans.at(-1);
    if (last?.tone === tone) last.text += text;
    else spans.push({ text, tone });
  }
  return spans;
}

function cellSpan({ dots, layer }: Cell, i: number, { isLimit, gaps, marked }: Behind) {
  if (layer !== null) return { text: String.fromCharCode(0x2800 + dots), tone: LAYERS[layer] };
  if (isLimit) return { text: '─', tone: 'bad' as const };
  if (marked.has(i)) return { text: '│', tone: 'quiet' as const };
  return { text: gaps.has(i) ? '░' : ' ', tone: 'quiet' as const };
}

function timeAxis({ from, to }: Frame, wide: number): Line {
  const end = seconds(Math.round((to - from) / 1000));
  const text = `0 s${end.padStart(Math.max(0, wide - 3))}`;
  return [span(' '.repeat(SCALE)), span('└'), column(text, wide, { tone: 'quiet' })];
}

/** What happened, each below its place. */
function markerLines({ markers, width }: Frame, x: Scale): Line[] {
  return markers.map(({ t, what }) => {
    const text = `▲ ${what}`;
    const at = SCALE + 1 + Math.max(0, Math.floor(x(t) / 2));
    const start = Math.max(0, Math.min(at, width - widthOf(text)));
    return clipped([span(' '.repeat(start)), span(start < at ? `${what} ▲` : text, { tone: 'quiet' })], width);
  });
}

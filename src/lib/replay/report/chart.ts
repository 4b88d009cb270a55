import { seconds } from '../../explain/index.js';
import { type Html, html } from './html.js';
import { bandPath, linePath } from './path.js';
import { pixel, type Scale, timeScale, valueScale } from './scale.js';
import type { Frame, Trace } from './trace.js';

/** How something is drawn; the style sheet has its colour and dashes. */
export type Ink = 'canary' | 'baseline' | 'original' | 'counterfactual' | 'mean';

export interface Layer {
  label: string;
  ink: Ink;
  trace: Trace;
  /** `band`: between low and high, on the axis or (`faint`) cut at its end. */
  as: 'line' | 'band' | 'faint';
}

export interface Limit {
  ink: 'original' | 'counterfactual';
  value: number;
}

export interface Marker {
  ink: 'original' | 'counterfactual';
  at: number;
  words: string;
}

export interface Chart {
  /** Unique in the document. */
  id: string;
  title: string;
  /** What one would see, in a sentence. */
  description: string;
  frame: Frame;
  layers: readonly Layer[];
  limits: readonly Limit[];
  markers: readonly Marker[];
  /** Where the canary was not measured. */
  gaps: Trace['gaps'];
  /** Values that belong on the axis whatever is drawn. */
  least: number | null;
  unit(value: number): string;
}

const WIDTH = 760;
const HEIGHT = 250;
const PLOT = { left: 64, right: 732, top: 34, bottom: 216 };
/** Pixels of a chart's plot: more columns than these show nothing more. */
export const PLOT_COLUMNS = PLOT.right - PLOT.left;

export function chartSvg(chart: Chart): Html {
  const { id, title, description, frame } = chart;
  const x = timeScale(frame.to - frame.from, PLOT.left, PLOT.right - PLOT.left);
  const y = valueScale(...range(chart), PLOT.bottom, PLOT.top);
  const at = (t: number) => x(t - frame.from);
  return html`<svg role="img" aria-labelledby="${id}-t ${id}-d" viewBox="0 0 ${WIDTH} ${HEIGHT}">
<title id="${id}-t">${title}</title><desc id="${id}-d">${description}</desc>
${gapBars(chart.gaps, at)}${axes(x, y, chart.unit)}${chart.layers.map((layer) => drawn(layer, at, y))}${gapLabels(chart.gaps, at)}
${chart.limits.map((limit) => limitLine(limit, y, chart.unit))}${chart.markers.map((marker) => markerLine(marker, at))}
</svg>
`;
}

/** The least and the greatest value to show. A bound that is unknown, or far from every value, is cut off. */
function range({ layers, limits, least }: Chart): [number, number] {
  let low = least ?? Number.POSITIVE_INFINITY;
  let high = least ?? Number.NEGATIVE_INFINITY;
  const see = (value: number) => {
    if (!Number.isFinite(value)) return;
    low = Math.min(low, value);
    high = Math.max(high, value);
  };
  for (const { trace, as } of layers) {
    if (as === 'faint') continue;
    for (const sample of trace.samples) {
      see(sample.low);
      see(sample.high);
    }
  }
  for (const { value } of limits) see(value);
  if (!Number.isFinite(low)) return [0, 1];
  const margin = (high - low || Math.abs(high) || 1) * 0.06;
  return [least === null ? low - margin : low, high + margin];
}

function axes(x: Scale, y: Scale, unit: (value: number) => string): Html {
  const { left, right, bottom } = PLOT;
  const rows = y.marks.map((mark) => {
    const at = pixel(y(mark));
    return html`<path class="grid" d="M${left} ${at}H${right}"/><text x="${left - 6}" y="${at + 4}" class="end">${unit(mark)}</text>`;
  });
  const columns = x.marks.map((mark) => {
    const at = pixel(x(mark));
    return html`<path class="axis" d="M${at} ${bottom}v4"/><text x="${at}" y="${bottom + 17}" class="middle">${seconds(mark / 1000)}</text>`;
  });
  return html`${rows}<path class="axis" d="M${left} ${bottom}H${right}"/>${columns}
<text x="${right}" y="${HEIGHT - 2}" class="end">time since the start</text>
`;
}

function gapBars(gaps: Trace['gaps'], at: (t: number) => number): Html[] {
  return gaps.map(([from, to]) => {
    const [begin, end] = [pixel(at(from)), pixel(at(to))];
    const width = pixel(Math.max(0.5, end - begin));
    return html`<rect class="gap" x="${begin}" y="${PLOT.top}" width="${width}" height="${PLOT.bottom - PLOT.top}"/>`;
  });
}

/** Where there is room; at the top, because measurements are mostly low. */
function gapLabels(gaps: Trace['gaps'], at: (t: number) => number): Html[] {
  const wide = gaps.map(([from, to]) => [at(from), at(to)] as const).filter(([begin, end]) => end - begin >= 50);
  return wide.map(
    ([begin, end]) => html`<text x="${pixel((begin + end) / 2)}" y="${PLOT.top + 14}" class="middle on">no data</text>`,
  );
}

function drawn({ ink, as, trace }: Layer, x: (t: number) => number, y: Scale): Html | null {
  if (trace.samples.length === 0) return null;
  if (as === 'line') return html`<path class="line ${ink}" d="${path(linePath(trace.samples, x, y))}"/>\n`;
  return html`<path class="band ${ink} ${as}" d="${path(bandPath(trace.samples, x, y))}"/>\n`;
}

/** A path is letters and numbers, as long as it needs to be. */
function path(text: string): Html {
  return html`${text.match(/.{1,400}/g) ?? []}`;
}

/** The two labels are at different ends, so that they stay readable where the limits are close or equal. */
function limitLine({ ink, value }: Limit, y: Scale, unit: (value: number) => string): Html {
  const at = pixel(y(value));
  const [x, side] = ink === 'original' ? [PLOT.left + 4, 'start'] : [PLOT.right - 4, 'end'];
  const words = ink === 'original' ? 'original' : 'other policy';
  return html`<path class="limit ${ink}" d="M${PLOT.left} ${at}H${PLOT.right}"/><text class="${side} on ${ink}" x="${x}" y="${pixel(at - 4)}">${words}: ${unit(value)}</text>
`;
}

function markerLine({ ink, at, words }: Marker, x: (t: number) => number): Html {
  const here = pixel(x(at));
  const top = ink === 'original' ? 12 : 27;
  const side = here > (PLOT.left + PLOT.right) / 2 ? 'end' : 'start';
  const shape = ink === 'original' ? 'm-4-5h8l-4 6z' : 'm0-5l4 4l-4 4l-4-4z';
  const beside = here + (side === 'end' ? -7 : 7);
  return html`<path class="marker ${ink}" d="M${here} ${top}V${PLOT.bottom}"/><path class="head ${ink}" d="M${here} ${top}${shape}"/><text class="${side} ${ink}" x="${beside}" y="${top}">${words}</text>
`;
}

import { count, moment, plural } from '../lib/explain/index.js';
import { amount, type Course, type Marker, rowOfPoint, type Series } from '../lib/view/index.js';
import { h, s } from './dom.js';
import { LongTable } from './long-table.js';
import { Slot } from './slot.js';

const SIZE = { width: 720, height: 200 };
const PLOT = { left: 62, right: 708, top: 14, bottom: 172 };

interface Frame {
  from: number;
  to: number;
}

/** An objective over time: both arms, the limit, the band, gaps and decisions; with its table behind it. */
export class SeriesFigure {
  readonly element: HTMLElement;
  readonly #plot = new Slot();
  readonly #table: LongTable;

  constructor({ name }: Series) {
    this.#table = new LongTable(`checks of ${name}`, ['Time', 'Canary', 'Baseline']);
    this.element = h('figure', {}, h('figcaption', {}, name), this.#plot.element, this.#table.element);
  }

  update(series: Series, markers: readonly Marker[], frame: Frame): void {
    this.#plot.draw(...seriesPlot(series, markers, frame));
    const { points, name } = series;
    this.#table.update(`${plural(points.length, 'check')} of ${name} as a table`, points.length, (i) => {
      const row = rowOfPoint(series, points[i]!);
      return [moment(row.t), row.canary, row.baseline];
    });
  }
}

function seriesPlot(series: Series, markers: readonly Marker[], frame: Frame): HTMLElement[] {
  const { name, unit, limit, points, bands, bandUnit } = series;
  const values = points.flatMap(({ canary, baseline }) => [canary, baseline]).filter((v): v is number => v !== null);
  const shown = bandUnit === unit ? bands : [];
  const most = values.reduce((a, b) => Math.max(a, b), 0);
  const top = Math.max(limit * 1.1, most, ...shown.map(({ upper }) => Math.min(upper, limit * 3)), 1e-9);
  const x = scale(frame.from, frame.to, PLOT.left, PLOT.right);
  const y = scale(0, top, PLOT.bottom, PLOT.top);
  const missing = points.filter(({ canary }) => canary === null).length;
  const describe = `${name}: ${plural(points.length, 'check')}${missing > 0 ? `, ${missing} without a value` : ''}; limit ${amount(limit, unit)}`;
  const svg = s(
    'svg',
    { viewBox: `0 0 ${SIZE.width} ${SIZE.height}`, role: 'img', 'aria-label': describe },
    gaps(points, x),
    axis(top, y, (value) => amount(value, unit), frame, x),
    shown.length > 1 && s('path', { class: 'band', d: bandPath(shown, x, y, top) }),
    s('path', {
      class: 'baseline',
      d: linePath(
        points.map(({ t, baseline }) => [t, baseline]),
        x,
        y,
      ),
    }),
    s('path', {
      class: 'canary',
      d: linePath(
        points.map(({ t, canary }) => [t, canary]),
        x,
        y,
      ),
    }),
    points.length === 1
      ? points.map(
          ({ t, canary }) => canary !== null && s('circle', { class: 'canary', cx: x(t), cy: y(canary), r: 3 }),
        )
      : [],
    limitLine(y(limit), `limit ${amount(limit, unit)}`, markers, x),
    marks(markers, x),
  );
  return [
    legend(
      shown.length > 1,
      points.some(({ baseline }) => baseline !== null),
    ),
    values.length === 0
      ? h('p', { class: 'quiet' }, emptyText(series))
      : h('div', { class: 'scroll wide', tabindex: 0, role: 'region', 'aria-label': `chart of ${name}` }, svg),
  ];
}

function emptyText({ points, name }: Series): string {
  if (points.length === 0) return 'No check has counted anything yet.';
  const states = [...new Set(points.map(({ state }) => state))];
  return states.length === 1 && states[0] === 'over_window'
    ? `${name} is computed over the window, not for one check: see its value above.`
    : `No check has a value (${states.join(', ')}).`;
}

/** Evidence against the canary over time, on the scale of powers of ten that it is acted on. */
export class EvidenceFigure {
  readonly #plot = new Slot();
  readonly #table = new LongTable('evidence', ['Check', 'Time', 'Evidence']);
  readonly element = h(
    'figure',
    {},
    h('figcaption', {}, 'Evidence against the canary'),
    this.#plot.element,
    this.#table.element,
  );

  update(course: Course, markers: readonly Marker[], frame: Frame): void {
    const { evidence } = course;
    this.#plot.draw(evidencePlot(course, markers, frame));
    this.#table.update(`The evidence at ${plural(evidence.length, 'check')} as a table`, evidence.length, (i) => {
      const { tick, t, logE } = evidence[i]!;
      return [String(tick), moment(t), oddsText(logE / Math.LN10)];
    });
  }
}

const oddsText = (log10: number): string =>
  log10 >= 0 ? `${count(Number((10 ** log10).toPrecision(2)))}:1` : `1:${Number((10 ** -log10).toPrecision(2))}`;

function evidencePlot({ evidence, logThreshold }: Course, markers: readonly Marker[], frame: Frame): HTMLElement {
  const logs = evidence.map(({ logE }) => logE / Math.LN10);
  const limit = logThreshold / Math.LN10;
  const top = logs.reduce((a, b) => Math.max(a, b), limit * 1.2);
  const bottom = logs.reduce((a, b) => Math.min(a, b), 0);
  const x = scale(frame.from, frame.to, PLOT.left, PLOT.right);
  const y = scale(bottom, top, PLOT.bottom, PLOT.top);
  const svg = s(
    'svg',
    {
      viewBox: `0 0 ${SIZE.width} ${SIZE.height}`,
      role: 'img',
      'aria-label': `evidence against the canary over ${plural(evidence.length, 'check')}; rolls back at ${oddsText(limit)}`,
    },
    axis(top, y, oddsText, frame, x, bottom),
    s('path', {
      class: 'canary',
      d: linePath(
        evidence.map(({ t, logE }) => [t, logE / Math.LN10]),
        x,
        y,
      ),
    }),
    limitLine(y(limit), `rolls back at ${oddsText(limit)}`, markers, x),
    marks(markers, x),
  );
  return h('div', { class: 'scroll wide', tabindex: 0, role: 'region', 'aria-label': 'chart of the evidence' }, svg);
}

type Scale = (value: number) => number;

function scale(from: number, to: number, start: number, end: number): Scale {
  const span = to - from || 1;
  return (value) => Math.round((start + ((value - from) / span) * (end - start)) * 10) / 10;
}

function linePath(points: readonly (readonly [number, number | null])[], x: Scale, y: Scale): string {
  let [path, open] = ['', false];
  for (const [t, value] of points) {
    if (value !== null) path += `${open ? 'L' : 'M'}${x(t)} ${y(value)}`;
    open = value !== null;
  }
  return path;
}

function bandPath(
  bands: readonly { t: number; lower: number; upper: number }[],
  x: Scale,
  y: Scale,
  top: number,
): string {
  const upper = bands.map((band) => `${x(band.t)} ${y(Math.min(top, band.upper))}`);
  const lower = bands.map((band) => `${x(band.t)} ${y(Math.max(0, band.lower))}`).reverse();
  return `M${upper.join('L')}L${lower.join('L')}Z`;
}

function axis(
  top: number,
  y: Scale,
  text: (value: number) => string,
  { from, to }: Frame,
  x: Scale,
  bottom = 0,
): SVGElement[] {
  const values = [0, 1, 2, 3, 4].map((i) => bottom + ((top - bottom) * i) / 4);
  const times = [0, 1, 2, 3].map((i) => from + ((to - from) * i) / 3);
  return [
    ...values.flatMap((value) => [
      s('path', { class: 'grid', d: `M${PLOT.left} ${y(value)}H${PLOT.right}` }),
      s('text', { x: PLOT.left - 6, y: y(value) + 4, 'text-anchor': 'end' }, text(value)),
    ]),
    ...times.map((t, i) =>
      s(
        'text',
        { x: x(t), y: PLOT.bottom + 18, 'text-anchor': i === 0 ? 'start' : i === 3 ? 'end' : 'middle' },
        to - from < 600_000 ? `${Math.round((t - from) / 1000)} s` : `${Math.round((t - from) / 60_000)} min`,
      ),
    ),
  ];
}

function gaps(points: Series['points'], x: Scale): SVGElement[] {
  return points.flatMap(({ t, canary, state }, i) => {
    if (canary !== null || state === 'over_window') return [];
    const from = x(points[i - 1]?.t ?? t);
    return [
      s('rect', {
        class: 'gap',
        x: from,
        y: PLOT.top,
        width: Math.max(1, x(t) - from),
        height: PLOT.bottom - PLOT.top,
      }),
    ];
  });
}

/** Its words stand where no marker has its own. */
function limitLine(at: number, words: string, markers: readonly Marker[], x: Scale): SVGElement[] {
  const left = markers.some(({ t }) => x(t) > 480);
  const place = left ? { x: PLOT.left + 4 } : { x: PLOT.right - 4, 'text-anchor': 'end' };
  return [
    s('path', { class: 'limit', d: `M${PLOT.left} ${at}H${PLOT.right}` }),
    s('text', { class: 'limit', y: at - 4, ...place }, words),
  ];
}

function marks(markers: readonly Marker[], x: Scale): SVGElement[] {
  const places = markers.map(({ t }) => Math.max(PLOT.left, Math.min(PLOT.right, x(t))));
  return markers.flatMap(({ what }, i) => {
    const at = places[i]!;
    // Words of what happened at about the same time stand below each other.
    const row = places.slice(0, i).filter((other) => Math.abs(other - at) < 110).length;
    return [
      s('path', { class: 'marker', d: `M${at} ${PLOT.top}V${PLOT.bottom}` }),
      s(
        'text',
        {
          class: 'marker',
          x: at + (at > 360 ? -4 : 4),
          y: PLOT.top + 10 + 13 * row,
          'text-anchor': at > 360 ? 'end' : 'start',
        },
        what,
      ),
    ];
  });
}

function legend(band: boolean, baseline: boolean): HTMLElement {
  const key = (name: string, text: string) =>
    h('li', {}, h('span', { class: `key ${name}`, 'aria-hidden': true }), text);
  return h(
    'ul',
    { class: 'legend' },
    key('canary', 'canary'),
    baseline && key('baseline', 'baseline'),
    band && key('band', 'where the canary’s value is, with the promised error'),
    key('limit', 'limit'),
  );
}

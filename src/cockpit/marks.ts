import { type CanaryRow, type Cell, cellOf, meterOf, type StateLook, stateLook } from '../lib/view/index.js';
import { h, s } from './dom.js';

/** Small drawings that rows and pages share. Each has its meaning in words beside it or as its title. */
export function badge({ icon, word, tone }: StateLook): HTMLElement {
  return h('span', { class: `badge ${tone}` }, h('span', { 'aria-hidden': true }, icon), ` ${word}`);
}

export function stateBadge({ state, approval }: Pick<CanaryRow, 'state' | 'approval'>): HTMLElement {
  const look = stateLook(state);
  if (approval?.state !== 'awaiting') return badge(look);
  return badge({ icon: '◐', word: `AWAITS APPROVAL ${approval.given}/${approval.required}`, tone: 'warn' });
}

const BAR = { width: 72, height: 8 };

/** How much of the limit is used: full at the limit, and red beyond. */
export function headroomBar(cell: Cell): SVGElement | null {
  if (cell.headroom === null) return null;
  const used = Math.max(0, Math.min(1, (1 - cell.headroom) / 1.25));
  const limit = BAR.width / 1.25;
  return s(
    'svg',
    {
      class: `bar ${cell.tone}`,
      viewBox: `0 0 ${BAR.width} ${BAR.height}`,
      width: BAR.width,
      height: BAR.height,
      'aria-hidden': true,
    },
    s('rect', { class: 'track', width: BAR.width, height: BAR.height, rx: 2 }),
    s('rect', { class: 'fill', width: Math.round(used * BAR.width), height: BAR.height, rx: 2 }),
    s('path', { class: 'limit', d: `M${limit} 0V${BAR.height}` }),
  );
}

export function evidenceBar(row: CanaryRow): HTMLElement | null {
  if (row.glance === null) return null;
  const meter = meterOf(row.glance);
  return h(
    'span',
    { class: 'evidence', title: `evidence against it: ${meter.text}` },
    s(
      'svg',
      { class: `bar ${meter.tone}`, viewBox: '0 0 48 8', width: 48, height: 8, 'aria-hidden': true },
      s('rect', { class: 'track', width: 48, height: 8, rx: 2 }),
      s('rect', { class: 'fill', width: Math.round(meter.share * 48), height: 8, rx: 2 }),
    ),
    ` ${meter.text.split(' ')[0]}`,
  );
}

const SPARK = { width: 80, height: 18 };

/** The newest checks; a gap is one. Read by the table behind the chart, so it says nothing to a screen reader. */
export function sparkline(values: readonly (number | null)[], limit: number): SVGElement | null {
  const known = values.filter((value): value is number => value !== null);
  if (known.length < 2) return null;
  const top = Math.max(limit, ...known) || 1;
  const x = (i: number) => ((i / Math.max(1, values.length - 1)) * (SPARK.width - 2) + 1).toFixed(1);
  const y = (value: number) => (SPARK.height - 1 - (value / top) * (SPARK.height - 2)).toFixed(1);
  let path = '';
  let open = false;
  for (const [i, value] of values.entries()) {
    if (value !== null) path += `${open ? 'L' : 'M'}${x(i)} ${y(value)}`;
    open = value !== null;
  }
  return s(
    'svg',
    {
      class: 'spark',
      viewBox: `0 0 ${SPARK.width} ${SPARK.height}`,
      width: SPARK.width,
      height: SPARK.height,
      'aria-hidden': true,
    },
    s('path', { class: 'limit', d: `M0 ${y(limit)}H${SPARK.width}` }),
    s('path', { class: 'line', d: path }),
  );
}

/** An objective in a row: mark, value and limit in words, bar, sparkline. */
export function objectiveCell(row: CanaryRow, index: number): HTMLElement {
  const o = row.glance?.objectives[index];
  if (o === undefined) return h('span', { class: 'objective' });
  const cell = cellOf(o);
  return h(
    'div',
    { class: `objective ${cell.tone}` },
    h('span', { class: 'name' }, `${cell.mark} ${cell.name}`),
    h(
      'span',
      { class: 'value' },
      cell.value ?? cell.missing ?? '',
      ' ',
      h('span', { class: 'quiet' }, `(limit ${cell.limit})`),
    ),
    headroomBar(cell),
    sparkline(row.trail[cell.name] ?? [], o.limit),
  );
}

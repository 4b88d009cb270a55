import { briefOdds } from '../../lib/explain/index.js';
import type { ObjectiveGlance } from '../../lib/judge/index.js';
import {
  type CanaryRow,
  cellOf,
  type JobRow,
  jobLook,
  type ListedRow,
  meterOf,
  reasonText,
  sourceHealth,
  timeLeft,
} from '../../lib/view/index.js';
import { clipped, column, cut, flowed, type Line, type Look, type Span, span, widthOf } from '../draw/line.js';
import { headroomBar, lookSpan, looksLike, meterBar, sparkSpans } from '../draw/marks.js';

/** Narrower than this, a row stands on two lines. */
const NARROW = 60;
/** Wide enough for ids as well. */
const WIDE = 110;
const STATE = 14;

export interface Window {
  lines: Line[];
  /** Index of the first row that is shown, and of the one after the last. */
  first: number;
  end: number;
}

/**
 * As many rows as fit, with the selected one among them. Lines are made for what is shown alone.
 * @param first the first row that was shown before; it moves no further than it has to
 */
export function listWindow(
  rows: readonly ListedRow[],
  {
    selected,
    first,
    width,
    height,
    now,
  }: { selected: number; first: number; width: number; height: number; now: number },
): Window {
  const made = new Map<number, Line[]>();
  const linesOf = (i: number): Line[] => {
    const lines = made.get(i) ?? rowLines(rows[i]!, { width, now, selected: i === selected });
    made.set(i, lines);
    return lines;
  };
  let from = Math.max(0, Math.min(first, selected));
  // From the selected row upwards: what still fits above it.
  let room = height - (rows[selected] === undefined ? 0 : linesOf(selected).length);
  let above = selected;
  while (above > from && room - linesOf(above - 1).length >= 0) room -= linesOf(--above).length;
  from = Math.max(from, above);
  // Nothing is left empty below while there is something above.
  let total = 0;
  let end = from;
  while (end < rows.length && total < height) total += linesOf(end++).length;
  while (from > 0 && total + linesOf(from - 1).length <= height) total += linesOf(--from).length;
  const lines: Line[] = [];
  for (let i = from; i < end; i++) lines.push(...linesOf(i));
  return { lines: lines.slice(0, height), first: from, end };
}

interface RowOptions {
  width: number;
  now: number;
  selected: boolean;
}

function rowLines(listed: ListedRow, options: RowOptions): Line[] {
  return listed.kind === 'canary' ? canaryLines(listed, options) : jobLines(listed.row, options);
}

function canaryLines({ row, open }: { row: CanaryRow; open: boolean }, options: RowOptions): Line[] {
  const { width, now, selected } = options;
  const gates = `${row.fromGate} → ${row.toGate}${row.dryRun ? ' (dry run)' : ''}`;
  const main = mainLines(
    { state: lookSpan(looksLike(row)), name: row.modelId, gates, left: timeLeft(row, now), id: row.id },
    options,
  );
  if (!open && !selected) return main;
  const parts = (row.glance?.objectives ?? []).map((o) => objectivePart(row, o, width));
  if (row.glance !== null) parts.push(evidencePart(row.glance));
  const health = sourceHealth(row, now);
  if (health.text !== '') parts.push([span('source ', { tone: 'quiet' }), span(health.text, { tone: health.tone })]);
  if (!open && row.reason !== null) parts.push([span(reasonText(row.reason), { tone: 'quiet' })]);
  return [...main, ...flowed(parts, 3, width - 1, 4)];
}

function jobLines(row: JobRow, options: RowOptions): Line[] {
  const { state, taskId, id, message, durationMs } = row;
  const took = durationMs === null ? '' : `after ${Number((durationMs / 1000).toPrecision(2))} s`;
  const main = mainLines(
    { state: lookSpan(jobLook(state)), name: `job ${taskId}`, gates: row.dryRun ? 'dry run' : '', left: took, id },
    options,
  );
  return options.selected && message !== null
    ? [...main, clipped([span(`    ${message}`, { tone: 'quiet' })], options.width)]
    : main;
}

interface Main {
  state: Span;
  name: string;
  gates: string;
  left: string;
  id: string;
}

function mainLines({ state, name, gates, left, id }: Main, { width, selected }: RowOptions): Line[] {
  const look: Look = selected ? { inverse: true } : {};
  const mark = span(selected ? '▸ ' : '  ', { tone: 'active', bold: true });
  const badge = { ...column(state.text, STATE), ...(state.tone ? { tone: state.tone } : {}), bold: true };
  if (width < NARROW) {
    const rest = width - 2 - STATE - 1;
    return [
      [mark, badge, span(' '), column(name, rest, { bold: true, ...look })],
      clipped([span('    '), span(gates), span('  '), span(left, { tone: 'quiet' })], width),
    ];
  }
  const ids = width >= WIDE ? 12 : 0;
  const time = Math.min(24, Math.max(18, Math.floor(width / 6)));
  const rest = width - 2 - STATE - 1 - ids - time - 2;
  const model = Math.floor(rest * 0.5);
  return [
    [
      mark,
      badge,
      span(' '),
      column(name, model, { bold: true, ...look }),
      span(' '),
      column(gates, rest - model),
      span(' '),
      column(left, time, { tone: 'quiet' }),
      ...(ids === 0 ? [] : [column(id, ids, { tone: 'quiet' })]),
    ],
  ];
}

/** `✓ latency_p95_ms ████░░│░ ▁▂▃▂ 91 ms (limit 250 ms)`. */
function objectivePart(row: CanaryRow, o: ObjectiveGlance, width: number): Line {
  const cell = cellOf(o);
  const narrow = width < NARROW;
  const name = cut(cell.name, narrow ? 14 : 20);
  const limit = `(limit ${cell.limit})`;
  return [
    span(`${cell.mark} ${name}`, { tone: cell.tone }),
    span(' '.repeat(Math.max(1, (narrow ? 11 : 15) - widthOf(name)))),
    headroomBar(cell, narrow ? 6 : 10),
    span(' '),
    ...(narrow ? [] : [...sparkSpans(row.trail[cell.name] ?? [], o, 12), span(' ')]),
    span(cell.value ?? cell.missing ?? '', cell.value === null ? { tone: 'quiet' } : {}),
    ...(narrow ? [] : [span(` ${limit}`, { tone: 'quiet' })]),
  ];
}

function evidencePart(glance: NonNullable<CanaryRow['glance']>): Line {
  const meter = meterOf(glance);
  return [
    span('evidence against it ', { tone: 'quiet' }),
    meterBar(meter, 8),
    span(` ${glance.logE <= 0 ? 'none' : briefOdds(glance.logE)}`, { tone: meter.tone }),
  ];
}

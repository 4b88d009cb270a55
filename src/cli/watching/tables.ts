import type { ForegroundColorName } from 'chalk';
import { moment } from '../../lib/explain/index.js';
import { visible } from '../../lib/input/index.js';
import {
  type CanaryRow,
  cellOf,
  jobLook,
  listed,
  listedGates,
  listedJobs,
  meterOf,
  type Overview,
  sourceHealth,
  stateLook,
  type Tone,
  timeLeft,
} from '../../lib/view/index.js';
import { type paint, widthOf } from '../present.js';
import { beside, block, type Styled } from '../screen.js';

type Pen = ReturnType<typeof paint>;
type Style = readonly (ForegroundColorName | 'bold')[];

/** Colours of what an icon and a word say as well. */
export const TONES: Readonly<Record<Tone, Style>> = {
  good: ['green'],
  warn: ['yellow'],
  bad: ['red'],
  active: ['cyan'],
  idle: [],
};

/** A cell of a table: its text, and its colour. */
interface Cell {
  text: string;
  tone?: Tone | undefined;
}

const HEAD = ['CANARY', 'STATE', 'MODEL', 'GATES', 'TIME', 'OBJECTIVES', 'EVIDENCE AGAINST IT', 'SOURCE'];

/** What is known of a canary in a list: all of it, or the little that a list knows of one whose entries are damaged. */
export type Listed = Pick<CanaryRow, 'id' | 'state' | 'modelId' | 'fromGate' | 'toGate' | 'dryRun'> & {
  row: CanaryRow | null;
  /** What the state does not say. */
  notes: readonly string[];
};

export function canaryTable(overview: Overview, now: number, pen: Pen): Styled | string {
  return listedTable(
    listed(overview).map((row) => ({ ...row, row, notes: [] })),
    now,
    pen,
  );
}

export function listedTable(canaries: readonly Listed[], now: number, pen: Pen): Styled | string {
  const rows = canaries.map((canary) => canaryCells(canary, now));
  return rows.length === 0 ? 'no canaries' : table(HEAD, rows, pen);
}

/** It has been checked, and how it stands was not read. */
export function isUnjudged({ state, startedAt, glance }: CanaryRow): boolean {
  return state === 'RUNNING' && startedAt !== null && glance === null;
}

function canaryCells({ id, state, modelId, fromGate, toGate, dryRun, row, notes }: Listed, now: number): Cell[] {
  const { icon, word, tone } = stateLook(state);
  const more = notes.length === 0 ? '' : ` (${notes.join('; ')})`;
  const health = row === null || isUnjudged(row) ? null : sourceHealth(row, now);
  return [
    { text: id },
    { text: `${icon} ${word}${more}`, tone },
    { text: modelId },
    { text: `${fromGate} → ${toGate}${dryRun ? ' (dry run)' : ''}` },
    { text: row === null ? '' : timeLeft(row, now) },
    ...numberCells(row?.glance ?? null),
    { text: health?.text ?? '', tone: health?.tone ?? 'idle' },
  ];
}

function numberCells(glance: CanaryRow['glance']): Cell[] {
  if (glance === null) return [{ text: '' }, { text: '' }];
  const cells = glance.objectives.map((objective) => {
    const { mark, name, value, missing } = cellOf(objective);
    return `${mark} ${name} ${value ?? missing ?? 'no data'}`;
  });
  const { text, tone } = meterOf(glance);
  return [{ text: cells.join(', ') }, { text, tone }];
}

/** Null: there are none. */
export function jobTable(overview: Overview, pen: Pen): Styled | null {
  const rows = listedJobs(overview).map(({ id, state, taskId, configId, updatedAt, message }): Cell[] => {
    const { icon, word, tone } = jobLook(state);
    const texts = [taskId, configId ?? '', moment(updatedAt), message ?? ''].map((text) => ({ text }));
    return [{ text: id }, { text: `${icon} ${word}`, tone }, ...texts];
  });
  return rows.length === 0 ? null : table(['JOB', 'STATE', 'TASK', 'FOR', 'UPDATED', 'MESSAGE'], rows, pen);
}

/** Null: none has a holder. */
export function gateTable(overview: Overview): Styled | null {
  const rows = listedGates(overview).map(({ gate, modelId, since, canaryId, by }) =>
    [gate, modelId, moment(since), canaryId ?? '', by].map((text) => ({ text })),
  );
  return rows.length === 0 ? null : table(['GATE', 'MODEL', 'SINCE', 'CANARY', 'BY'], rows, null);
}

/**
 * Columns as wide as their widest cell; what a cell holds cannot break the layout. On a terminal that is too narrow the columns
 * that one can do without are left out; a pipe gets all.
 */
function table(head: readonly string[], rows: readonly (readonly Cell[])[], pen: Pen | null): Styled {
  const clean = [head.map((text): Cell => ({ text })), ...rows].map((row) =>
    row.map(({ text, tone }) => ({ text: visible(text), tone })),
  );
  const widths = head.map((_, i) => Math.max(...clean.map((row) => [...row[i]!.text].length)));
  const columns = fitting(head, widths, widthOf(process.stdout));
  return block(clean.map((row) => drawn(row, columns, widths, pen)));
}

const WITHOUT = ['SOURCE', 'EVIDENCE AGAINST IT', 'OBJECTIVES', 'MESSAGE', 'BY', 'GATES', 'TIME'];
const GAP = 2;

/** Places of the columns that are shown. */
function fitting(head: readonly string[], widths: readonly number[], width: number | null): number[] {
  let columns = head.map((_, i) => i);
  for (const name of WITHOUT) {
    const total = columns.reduce((sum, i) => sum + widths[i]! + GAP, -GAP);
    if (width === null || total <= width) break;
    columns = columns.filter((i) => head[i] !== name);
  }
  return columns;
}

function drawn(row: readonly Cell[], columns: readonly number[], widths: readonly number[], pen: Pen | null): Styled {
  const last = columns.findLast((i) => row[i]!.text !== '') ?? 0;
  const shown = columns
    .filter((i) => i <= last)
    .flatMap((i, place) => {
      const { text, tone } = row[i]!;
      const cell = i === last ? text : alignedTo(text, widths[i]!);
      const gap = place === 0 ? [] : [' '.repeat(GAP)];
      return [...gap, pen === null || tone === undefined ? cell : pen(cell, ...TONES[tone])];
    });
  return beside(...shown);
}

export function alignedTo(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - [...text].length));
}

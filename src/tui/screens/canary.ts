import { count, moment } from '../../lib/explain/index.js';
import type { ObjectiveGlance } from '../../lib/judge/index.js';
import {
  amount,
  type CanaryEntries,
  type CanaryView,
  type Course,
  isOpenRow,
  type ObjectiveView,
  reasonText,
  sourceHealth,
  timeLeft,
} from '../../lib/view/index.js';
import { evidenceChart, type Frame, seriesChart } from '../draw/chart.js';
import { BLANK, clipped, ends, type Line, lineWidth, span, wrapped } from '../draw/line.js';
import { headroomBar, meterBar, sparkSpans, stateSpan } from '../draw/marks.js';
import { narrativeLines } from './why.js';

/** What is shown of one canary, and in how much room. */
export interface Shown {
  view: CanaryView;
  /** Changes of the gate it wants to enter: at least its own and the newest. */
  gate: CanaryEntries['gate'];
  /** Checks that are recorded. */
  checks: number;
  /** Null: no check was made. */
  course: Course | null;
  width: number;
  /** Rows of a chart. */
  rows: number;
  now: number;
}

/** One canary from top to bottom. */
export function canaryLines(shown: Shown): Line[] {
  const { view, course, width } = shown;
  return [
    ...headLines(shown),
    ...section('Objectives', objectiveLines(shown)),
    ...(course === null || course.evidence.length === 0 ? [] : section('Over time', chartLines(shown, course))),
    ...section('Approvals', approvalLines(view, width)),
    ...section('Hooks', hookLines(view, width)),
    ...section(`Gate ${view.canary.toGate}`, gateLines(shown)),
    ...section('Recorded', recordedLines(shown)),
    ...section('Why', narrativeLines(view.narrative, width)),
  ];
}

/** What it is, how sure, how long still. */
export function headLines({ view, width, now }: Shown): Line[] {
  const { row, meter, verdict } = view;
  const gates = `${row.fromGate} → ${row.toGate}${row.dryRun ? '  dry run' : ''}`;
  const title: Line = [stateSpan(row), span('  '), span(row.modelId, { bold: true }), span(`  ${gates}`)];
  const left = span(timeLeft(row, now), { tone: 'quiet' });
  const health = sourceHealth(row, now);
  const evidence: Line =
    meter === null
      ? [span('  not judged yet', { tone: 'quiet' })]
      : [span('  evidence against it '), meterBar(meter, 10), span(` ${meter.text}`, { tone: meter.tone })];
  const source: Line = health.text === '' ? [] : [span('source '), span(health.text, { tone: health.tone })];
  const isJudged = verdict !== null && verdict.decision !== 'continue';
  // What a person wrote, where nothing was judged.
  const said = row.reason === null || isOpenRow(row) ? [] : [reasonText(row.reason)];
  const reason = isJudged ? view.summary.slice(1, 2) : said;
  return [
    ...(width < 60 ? [clipped(title, width), clipped([span('  '), left], width)] : [ends(title, [left], width)]),
    ...reason.flatMap((text) => wrapped(text.trim(), width, {}, '  ', '    ')),
    ...(width < 60
      ? [clipped(evidence, width), ...(source.length > 0 ? [[span('  '), ...source]] : [])]
      : [ends(evidence, source, width)]),
  ];
}

function section(heading: string, lines: Line[]): Line[] {
  return lines.length === 0 ? [] : [BLANK, [span(heading, { bold: true })], ...lines];
}

function objectiveLines({ view, course, width }: Shown): Line[] {
  const { objectives, row } = view;
  const trail = trailOf(view, course);
  if (objectives.length === 0) return [[span('  waiting for the first check', { tone: 'quiet' })]];
  return objectives.flatMap((objective, i) => objectiveBlock(objective, row.glance?.objectives[i], trail, width));
}

type Trail = CanaryView['row']['trail'];

/** Values of the checks, oldest first. Of what is computed over the window, a list knows how it stood. */
function trailOf({ row }: CanaryView, course: Course | null): Trail {
  const trail: Trail = { ...row.trail };
  for (const { name, points } of course?.series ?? []) {
    const values = points.map(({ canary }) => canary);
    if (values.some((value) => value !== null)) trail[name] = values;
  }
  return trail;
}

/** A line for each objective. */
export function shortObjectives({ view, course, width }: Shown): Line[] {
  const trail = trailOf(view, course);
  return view.objectives.map((objective, i) => objectiveHead(objective, view.row.glance?.objectives[i], trail, width));
}

function objectiveBlock(
  objective: ObjectiveView,
  glance: ObjectiveGlance | undefined,
  trail: Trail,
  width: number,
): Line[] {
  const { cell, report, toCertain } = objective;
  const made = report.type === 'reading' ? 'readings' : report.type === 'drift' ? 'scores' : 'requests';
  const bounds = boundsText(report);
  const facts = [
    `${count(cell.n)} ${made}`,
    cell.headroom === null ? null : `headroom ${Math.round(cell.headroom * 100)}%`,
    bounds === null ? null : `truly ${bounds}`,
    toCertain.against === null ? null : `to a rollback: ${toCertain.against}`,
    toCertain.met === null ? null : `to a promotion: ${toCertain.met}`,
  ].filter((text): text is string => text !== null);
  return [
    objectiveHead(objective, glance, trail, width),
    ...wrapped(facts.join('; '), width, { tone: 'quiet' }, '    '),
  ];
}

function objectiveHead(
  { cell }: ObjectiveView,
  glance: ObjectiveGlance | undefined,
  trail: Trail,
  width: number,
): Line {
  const value = cell.value ?? cell.missing ?? '';
  const head: Line = [
    span(`  ${cell.mark} ${cell.name}`, { tone: cell.tone, bold: true }),
    span(`${cell.reportOnly ? ' (report only)' : ''}  ${value} `),
    span(`(limit ${cell.limit})  `, { tone: 'quiet' }),
    headroomBar(cell, width < 60 ? 6 : 12),
  ];
  const spark = glance === undefined || width < 80 ? [] : sparkSpans(trail[cell.name] ?? [], glance, 20);
  return spark.length === 0 ? clipped(head, width) : ends(head, spark, width);
}

/** Where the value is, with the promised error. */
function boundsText(report: ObjectiveView['report']): string | null {
  if (report.type === 'reading' || report.bounds === null || (report.type === 'rate' && report.relative)) return null;
  const { lower, upper } = report.bounds;
  if (report.type === 'drift') return `${amount(lower, 'psi')} to ${amount(upper, 'psi')}`;
  const what = report.signal === 'errors' ? '' : ' above the limit';
  return `${amount(lower, 'share')} to ${amount(upper, 'share')}${what}`;
}

/** Wide enough for two charts beside each other. */
const TWO_CHARTS = 130;
const BETWEEN = 3;

/** Charts of the evidence and of each objective; an empty line between them. */
export function chartLines({ view, width, rows }: Shown, course: Course): Line[] {
  const columns = width >= TWO_CHARTS ? 2 : 1;
  const wide = Math.floor((width - BETWEEN * (columns - 1)) / columns);
  const frame = { ...frameOf(view, course), width: wide, rows };
  // In the first chart alone: the others stand below the same times.
  const charts = [
    evidenceChart(course, frame),
    ...course.series.map((series) => seriesChart(series, { ...frame, markers: [] })),
  ];
  const lines: Line[] = [];
  for (let i = 0; i < charts.length; i += columns)
    lines.push(...(i === 0 ? [] : [BLANK]), ...besides(charts.slice(i, i + columns), wide));
  return lines;
}

function besides(charts: readonly (readonly Line[])[], width: number): Line[] {
  const height = Math.max(...charts.map((lines) => lines.length));
  return Array.from({ length: height }, (_, i) =>
    charts.flatMap((lines, k): Line => {
      const one = lines[i] ?? BLANK;
      const last = k === charts.length - 1;
      return last ? one : [...one, { text: ' '.repeat(width - lineWidth(one) + BETWEEN) }];
    }),
  );
}

/** The whole window, also what is still to come of it. */
export function frameOf({ canary, row, markers }: CanaryView, course: Course): Pick<Frame, 'from' | 'to' | 'markers'> {
  const last = course.evidence.at(-1)?.t ?? 0;
  const from = canary.startedAt ?? row.createdAt ?? 0;
  const end = canary.verdict === null ? (row.endsAt ?? 0) : 0;
  return { from, to: Math.max(end, last, from + 1000), markers };
}

function hookLines({ facts }: CanaryView, width: number): Line[] {
  return facts.calls.map(({ action, hook, attempt, finished }) => {
    const look = finished === null ? 'active' : finished.data.ok ? 'good' : 'bad';
    const result =
      finished === null
        ? 'is running, or its end was not recorded'
        : finished.data.ok
          ? '✓ ok'
          : `✗ ${finished.data.detail}`;
    return clipped(
      [span(`  ${action} `), span(hook, { bold: true }), span(`  attempt ${attempt}  `), span(result, { tone: look })],
      width,
    );
  });
}

function approvalLines({ row, facts }: CanaryView, width: number): Line[] {
  const { approval } = row;
  const said = [
    ...facts.approvals.map((e) => ['approved', e] as const),
    ...(facts.rejected === null ? [] : [['rejected', facts.rejected] as const]),
  ];
  const head: Line[] =
    approval === null
      ? []
      : [
          clipped(
            [
              span(`  ${approval.given} of ${approval.required} given; ${approval.state}`, { tone: 'warn' }),
              ...(approval.state === 'awaiting' ? [span('   y approve  n reject', { tone: 'quiet' })] : []),
            ],
            width,
          ),
        ];
  return [
    ...head,
    ...said.flatMap(([what, { ts, data }]) =>
      wrapped(`${moment(Date.parse(ts))}  ${what} by ${data.by.who}: ${data.reason}`, width, {}, '  ', '    '),
    ),
  ];
}

function gateLines({ view, gate, width }: Shown): Line[] {
  const { acted } = view.facts;
  const done =
    acted === null
      ? null
      : `${acted.data.action} ${acted.data.ok ? 'carried out' : 'failed'} at ${moment(Date.parse(acted.ts))}`;
  return [
    ...(done === null ? [] : [clipped([span(`  ${done}`, { tone: acted?.data.ok ? 'good' : 'bad' })], width)]),
    ...gate.flatMap(({ ts, modelId, previous, by }) =>
      wrapped(
        `${moment(Date.parse(ts))}  ${modelId} instead of ${previous ?? 'nobody'}, by ${by.who}`,
        width,
        {},
        '  ',
        '    ',
      ),
    ),
  ];
}

function recordedLines({ view: { intact, canary }, checks, width }: Shown): Line[] {
  const { observations } = canary;
  const line = (text: string, tone: 'good' | 'bad' | 'quiet') => wrapped(text, width, { tone }, '  ', '    ');
  if (observations === null)
    return line(`${checks} ${checks === 1 ? 'check' : 'checks'} so far; nothing is decided`, 'quiet');
  if (intact === null) return line('the digest of the recorded checks was not computed', 'quiet');
  return intact
    ? line(
        `✓ the ${observations.count} recorded checks are those that were judged (SHA-256 ${observations.digest.slice(0, 16)}…)`,
        'good',
      )
    : line('✗ the recorded checks are not those that were judged: run lukhas verify', 'bad');
}

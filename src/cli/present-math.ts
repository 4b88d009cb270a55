import type { ObjectiveEvidence, WhyMath } from '../lib/explain/index.js';
import {
  assumptionText,
  bucketText,
  count,
  flow,
  inUnit,
  observedValue,
  odds,
  oneLine,
  percent,
  plural,
  seconds,
  sparkline,
  stateText,
  type Width,
  wrap,
} from '../lib/explain/index.js';
import type { Bounds, ObjectiveReport, RateReport } from '../lib/judge/index.js';
import { PAINT, paint, widthOf } from './present.js';
import { block, blocks, type Styled } from './screen.js';
import { table } from './table.js';

/** Bars of the evidence, at most. */
const BARS = 40;
/** Column of the facts' values. */
const INDENT = 16;
const NONE = '-';

/** The numbers as compact tables. */
export function presentMath(math: WhyMath, stream: NodeJS.WriteStream, noColor?: boolean): Styled {
  const pen = paint(stream, noColor);
  const color = PAINT[math.state as keyof typeof PAINT];
  const width = widthOf(stream);
  const names = [math.modelId ?? '', `${math.fromGate} → ${math.toGate}`, math.id].map(oneLine);
  const head = flow([stateText(math.state ?? ''), ...names], 2, width, '');
  const lines = facts(math).flatMap((fact) => factLines(fact, width));
  const recheck = recheckLines(math, width);
  const differs = math.check?.status === 'differs';
  return blocks([
    block([...head.map((line) => (color ? pen(line, color, 'bold') : pen(line, 'bold'))), ...lines]),
    ...objectives(math, width),
    ...logic(math, width),
    ...(recheck.length === 0 ? [] : [block(differs ? recheck.map((line) => pen(line, 'red', 'bold')) : recheck)]),
  ]);
}

function factLines([name, value]: readonly [string, string], width: Width): string[] {
  return wrap(oneLine(value), width, name.padEnd(INDENT), ' '.repeat(INDENT));
}

function facts(math: WhyMath): [string, string][] {
  const { byHand, ticks } = math;
  const rates = math.evidence.filter((o): o is ObjectiveEvidence & RateReport => o.type === 'rate' && o.hasData);
  const rows: [string, string | null][] = [
    ['decision', `${math.decision}${math.why ? ` (${math.certainty}): ${math.why}` : ''}`],
    ['by hand', byHand && `${byHand.by.who} at ${byHand.at}: "${byHand.reason}"`],
    ['promise', math.promise],
    ['time to action', math.time_to_action_sec === null ? NONE : timeToAction(math)],
    [
      'checks',
      ticks &&
        `${ticks.looked} of at most ${ticks.planned}, ${ticks.withData} with data, ${ticks.gaps} missed; ${plural(ticks.resets, 'counter reset')}; ${percent(math.coverage ?? 0)} of the time covered`,
    ],
    ['evidence', evidenceBars(math)],
    ...rates.flatMap(rateFacts),
    ...math.evidence.flatMap((o): [string, string][] => (o.type === 'reading' ? [['readings', o.says]] : [])),
    ['assumptions', math.assumptions.length > 0 ? math.assumptions.map(assumptionText).join('; ') : null],
  ];
  return rows.flatMap(([name, value]) => (value === null ? [] : [[name, value] as [string, string]]));
}

function timeToAction(math: WhyMath): string {
  const saved = math.savedSeconds ? ` (${seconds(math.savedSeconds)} saved)` : '';
  return `${seconds(math.time_to_action_sec ?? 0)} from the start of the window${saved}`;
}

/** Bars of the logarithm; a full bar is where it is rolled back. */
function evidenceBars({ bet, evidence }: WhyMath): string | null {
  if (!bet || bet.path.length === 0 || evidence.every((o) => o.type === 'reading')) return null;
  const values = bet.path.map((p) => p.logE);
  const bars = sparkline(values, Math.min(0, ...values), bet.logThreshold, BARS);
  return `${bars}  ${odds(bet.logE)} against it (rolls back at ${odds(bet.logThreshold)}, a full bar)`;
}

function rateFacts(o: RateReport): [string, string | null][] {
  const { baseline: b, onset } = o;
  const buckets = bucketText(o);
  return [
    [
      'baseline',
      b &&
        `${o.name}: ${count(b.bad)} of ${count(b.total)} (${b.rate === null ? NONE : percent(b.rate)}), ${b.ratio === null ? 'no ratio' : `canary ${Number(b.ratio.toPrecision(3))}x that`}, attributable: ${o.attributable}`,
    ],
    ['buckets', buckets && `${o.name}: ${buckets}`],
    ['left out', o.leftOut ? notCounted(o, o.leftOut) : null],
    ['waiting', o.waiting ? notCounted(o, o.waiting) : null],
    [
      'onset',
      onset && o.rollback.against
        ? `${o.name}: most likely check ${onset.tick}, ${new Date(onset.at).toISOString()}`
        : null,
    ],
  ];
}

function notCounted(o: RateReport, { bad, total, overturns }: NonNullable<RateReport['leftOut']>): string {
  const effect = overturns ? 'could overturn the certificate' : 'changes nothing';
  return `${o.name}: ${count(total)} not counted, up to ${count(bad)} of them bad: ${effect}`;
}

const HEAD = [
  'OBJECTIVE',
  'LIMIT',
  'OBSERVED',
  'BOUNDS',
  'BAD OF ALL',
  'EVIDENCE',
  'CERTIFIED',
  'DESIGN EFFECT',
  'STILL NEEDED',
];

function objectives({ evidence }: WhyMath, width: Width): Styled[] {
  return evidence.length === 0 ? [] : [fitted(HEAD, evidence.map(objectiveRow), width)];
}

/** A table, or one record below the other where a terminal is narrower than the table. */
function fitted(head: readonly string[], rows: readonly (readonly string[])[], width: Width): Styled {
  const whole = table(head, rows);
  const widest = Math.max(
    ...String(whole)
      .split('\n')
      .map((line) => line.length),
  );
  if (width === null || widest <= width) return whole;
  const records = rows.map((row) => {
    const named = row.flatMap((cell, i) =>
      cell === '' || cell === NONE ? [] : [[head[i] ?? '', oneLine(cell)] as const],
    );
    return block(named.flatMap((fact) => factLines(fact, width)));
  });
  return blocks(records);
}

function objectiveRow(o: ObjectiveEvidence): string[] {
  const value = observedValue(o);
  const observed = value === null ? 'no data' : shown(o, value);
  const name = o.reportOnly ? `${o.name} (report only)` : o.name;
  if (o.type === 'reading')
    return [
      name,
      `${o.rule.op} ${o.rule.value}`,
      observed,
      NONE,
      `${o.failing} of ${o.readings}`,
      NONE,
      o.certificate === 'yes' ? 'met' : o.certificate,
      NONE,
      NONE,
    ];
  const counts =
    o.type === 'rate'
      ? `${count(o.bad)} of ${count(o.total)}`
      : `${count(o.canaryTotal)} ${o.by === 'categories' ? 'counts' : 'scores'}`;
  const { effect, from } = o.design;
  return [
    name,
    shown(o, o.target),
    observed,
    bounds(o, o.bounds),
    counts,
    odds(o.rollback.logE),
    o.certificate,
    `${Number(effect.toPrecision(3))}${from === 'none' ? '' : ` (${from})`}`,
    o.type === 'rate' ? needed(o) : NONE,
  ];
}

function needed({ needed: n }: RateReport): string {
  if (!n || n.requests === 0) return NONE;
  return `${count(n.requests)} requests${n.seconds === null ? '' : `, ${seconds(n.seconds)}`}`;
}

/** The bounds are those of the rate, also where the target is a time. */
function bounds(o: ObjectiveReport, b: Bounds | null): string {
  if (!b) return NONE;
  if (o.type === 'drift') return `${Math.max(0, b.lower).toFixed(3)} to ${b.upper.toFixed(3)}`;
  return `${percent(b.lower)} to ${percent(b.upper)}`;
}

function shown(o: ObjectiveReport, value: number): string {
  if (o.type === 'reading') return String(Number(value.toPrecision(6)));
  if (o.type === 'drift') return String(Number(Math.max(0, value).toFixed(3)));
  if (o.relative) return `${Number(value.toPrecision(3))} x`;
  return o.signal === 'latency' ? inUnit(o, value) : percent(value);
}

function logic({ logic: steps }: WhyMath, width: Width): Styled[] {
  if (steps.length === 0) return [];
  const number = (x: number | null) => (x === null ? '' : String(Number(x.toPrecision(4))));
  const rows = steps.map((s) => [s.answer ? 'yes' : 'no', s.question, number(s.value), number(s.limit)]);
  return [fitted(['ANSWER', 'QUESTION', 'VALUE', 'LIMIT'], rows, width)];
}

function recheckLines({ check }: WhyMath, width: Width): string[] {
  if (!check) return [];
  const problems = check.problems.flatMap((problem) => wrap(oneLine(problem), width, '  ', '    '));
  return [...factLines(['recomputed', check.says], width), ...problems];
}

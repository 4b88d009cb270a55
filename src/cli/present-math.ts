import type { ObjectiveEvidence, WhyMath } from '../lib/explain/index.js';
import {
  count,
  milliseconds,
  observedValue,
  odds,
  oneLine,
  percent,
  seconds,
  sparkline,
} from '../lib/explain/index.js';
import type { Bounds, ObjectiveReport, RateReport } from '../lib/judge/index.js';
import { PAINT, paint } from './present.js';
import { block, blocks, type Styled } from './screen.js';
import { table } from './table.js';

const COLUMNS = 60;
const NONE = '-';

/** The numbers as compact tables. */
export function presentMath(math: WhyMath, stream: NodeJS.WriteStream, noColor?: boolean): Styled {
  const pen = paint(stream, noColor);
  const color = PAINT[math.state as keyof typeof PAINT];
  const head = oneLine(`${math.state} ${math.modelId}: ${math.fromGate} -> ${math.toGate} ${math.id}`);
  const lines = facts(math).map(([name, value]) => `${name.padEnd(16)}${oneLine(value)}`);
  const check = checkLines(math);
  const differs = math.check?.status === 'differs';
  return blocks([
    block([color ? pen(head, color, 'bold') : pen(head, 'bold'), ...lines]),
    ...objectives(math),
    ...logic(math),
    ...(check.length === 0 ? [] : [block(differs ? check.map((line) => pen(line, 'red', 'bold')) : check)]),
  ]);
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
      'looks',
      ticks &&
        `${ticks.looked} of at most ${ticks.planned}, ${ticks.withData} with data, ${ticks.gaps} missed, ${ticks.resets} resets; ${percent(math.coverage ?? 0)} covered`,
    ],
    ['evidence', bet(math)],
    ...rates.flatMap(rateFacts),
    ['assumed', math.assumptions.length > 0 ? math.assumptions.join('; ') : null],
  ];
  return rows.flatMap(([name, value]) => (value === null ? [] : [[name, value] as [string, string]]));
}

function timeToAction(math: WhyMath): string {
  const saved = math.savedSeconds ? `, ${seconds(math.savedSeconds)} of the window saved` : '';
  return `${seconds(math.time_to_action_sec ?? 0)} from the start of the window${saved}`;
}

/** Bars of the logarithm: as full as it must be to act. */
function bet({ bet: b }: WhyMath): string | null {
  if (!b || b.path.length === 0) return null;
  const values = b.path.map((p) => p.logE);
  const bars = sparkline(values, Math.min(0, ...values), b.logThreshold, COLUMNS);
  return `${bars}  ${odds(b.logE)} against it, acts at ${odds(b.logThreshold)} (a full bar)`;
}

function rateFacts(o: RateReport): [string, string | null][] {
  const { baseline: b, latency: l, onset } = o;
  const bound = (x: number | null, otherwise: string) => (x === null ? otherwise : `above ${milliseconds(x)}`);
  return [
    [
      'baseline',
      b &&
        `${o.name}: ${count(b.bad)} of ${count(b.total)} (${b.rate === null ? NONE : percent(b.rate)}), ratio ${b.ratio === null ? NONE : b.ratio.toPrecision(3)}, attributable: ${o.attributable}`,
    ],
    [
      'buckets',
      l &&
        `${o.name}: surely slow ${bound(l.surelyAbove, 'none')}, possibly slow ${bound(l.possiblyAbove, 'all')}${l.bucket ? `; p${Math.round(l.quantile * 100)} in ${count(l.bucket.lower)} to ${milliseconds(l.bucket.upper)}` : ''}`,
    ],
    [
      'onset',
      onset && o.rollback.against
        ? `${o.name}: most likely look ${onset.tick}, ${new Date(onset.at).toISOString()}`
        : null,
    ],
  ];
}

const HEAD = [
  'OBJECTIVE',
  'THRESHOLD',
  'OBSERVED',
  'BOUNDS',
  'BAD OF ALL',
  'BET AGAINST',
  'CERTIFIED',
  'DESIGN EFFECT',
  'STILL NEEDED',
];

function objectives({ evidence }: WhyMath): Styled[] {
  return evidence.length === 0 ? [] : [table(HEAD, evidence.map(objectiveRow))];
}

function objectiveRow(o: ObjectiveEvidence): string[] {
  const value = observedValue(o);
  const observed = value === null ? 'no data' : shown(o, value);
  if (o.type === 'reading')
    return [
      o.name,
      `${o.rule.op} ${o.rule.value}`,
      observed,
      NONE,
      `${o.failing} of ${o.readings}`,
      NONE,
      o.certificate === 'yes' ? 'met' : o.certificate,
      NONE,
      NONE,
    ];
  const counts = o.type === 'rate' ? `${count(o.bad)} of ${count(o.total)}` : `${count(o.canaryTotal)} scores`;
  const { effect, from } = o.design;
  return [
    o.name,
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
  return o.signal === 'latency' ? milliseconds(value) : percent(value);
}

function logic({ logic: steps }: WhyMath): Styled[] {
  if (steps.length === 0) return [];
  const number = (x: number | null) => (x === null ? '' : String(Number(x.toPrecision(4))));
  const rows = steps.map((s) => [s.answer ? 'yes' : 'no', s.question, number(s.value), number(s.limit)]);
  return [table(['ANSWER', 'QUESTION', 'VALUE', 'LIMIT'], rows)];
}

function checkLines({ check }: WhyMath): string[] {
  if (!check) return [];
  return [`check           ${oneLine(check.says)}`, ...check.problems.map((p) => `  ${oneLine(p)}`)];
}

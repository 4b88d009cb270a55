import { milliseconds, moment, plural, seconds } from '../explain/index.js';
import { clip, oneLine } from '../input/index.js';
import type { CanaryRecord, CanaryView, ObjectiveView } from './canary.js';
import { type Cell, sourceHealth, timeLeft } from './cell.js';
import { type StateLook, stateLook, type Tone } from './state.js';

/** A canary as a tree: a line of cells, and what belongs to it. All text is fit to be shown in one line. */
export interface TreeNode {
  icon: string;
  tone: Tone;
  /** What it is. */
  kind: string;
  name: string;
  /** How it stands, and since when or for how long. */
  status: string;
  age: string;
  /** Numbers and words beside that. */
  info: string;
  children: TreeNode[];
}

/** A canary as it stands: what it is judged by, its source, hooks, approvals and gate. Pure. @param now ms since the epoch */
export function treeOf(view: CanaryView, { gate }: Pick<CanaryRecord, 'gate'>, now: number): TreeNode {
  const { row, meter } = view;
  const look = stateLook(row.state);
  return {
    ...iconOf(look),
    kind: 'canary',
    name: row.id,
    status: look.word,
    age: timeLeft(row, now),
    info: meter === null ? '' : `evidence against it: ${meter.text}`,
    children: [
      ...view.objectives.map(objectiveNode),
      ...sourceNodes(view, now),
      ...view.facts.calls.map(hookNode),
      ...approvalNodes(view),
      gateNode(view, gate),
    ],
  };
}

/** Lines above the tree: name and value of each. */
export function headOf({ row, verdict, canary, summary }: CanaryView): [name: string, value: string][] {
  const { id, modelId, fromGate, toGate, dryRun, createdAt, startedAt, endsAt, by } = row;
  const window = startedAt === null || endsAt === null ? null : seconds((endsAt - startedAt) / 1000);
  const hasCause = verdict !== null && verdict.decision !== 'continue' && canary.ended === null;
  const rows: [string, string | null][] = [
    ['Canary', id],
    ['Model', oneLine(modelId)],
    ['Gates', `${oneLine(fromGate)} → ${oneLine(toGate)}${dryRun ? ' (dry run)' : ''}`],
    ['State', wordsOf(row, stateLook(row.state))],
    ['Why', hasCause ? (summary[1]?.trim() ?? null) : endedBy(canary)],
    ['Requested', createdAt === null ? null : `${moment(createdAt)}${by === null ? '' : ` by ${oneLine(by)}`}`],
    ['Window', window === null ? null : `${window}, from ${moment(startedAt!)} to ${moment(endsAt!)}`],
    ['Certainty', verdict === null ? null : verdict.certainty],
  ];
  return rows.flatMap(([name, value]): [string, string][] => (value === null ? [] : [[name, value]]));
}

function wordsOf({ approval }: CanaryView['row'], { icon, word }: StateLook): string {
  const waits = approval === null ? '' : ` (${APPROVALS[approval.state]})`;
  return `${icon} ${word}${waits}`;
}

const APPROVALS = { awaiting: 'waits for approval', rejected: 'rejected', lapsed: 'the approvals lapsed' } as const;

function endedBy({ ended, failure }: CanaryView['canary']): string | null {
  if (failure !== null) return clip(failure.message);
  return ended === null ? null : `${clip(ended.reason)} (${oneLine(ended.by.who)})`;
}

function iconOf({ icon, tone }: StateLook): Pick<TreeNode, 'icon' | 'tone'> {
  return { icon, tone };
}

function objectiveNode({ cell, report, toCertain }: ObjectiveView): TreeNode {
  const unit = report.type === 'reading' ? 'reading' : report.type === 'drift' ? 'score' : 'request';
  const room = cell.headroom === null ? [] : [`headroom ${Math.round(cell.headroom * 100)}%`];
  const next = cell.mark === '✗' ? 'counts against it' : toCertain.met;
  return {
    icon: cell.mark,
    tone: cell.tone,
    kind: 'objective',
    name: oneLine(cell.name),
    status: numbers(cell),
    age: plural(cell.n, unit),
    info: [...room, ...(next === null ? [] : [next]), ...(cell.reportOnly ? ['report only'] : [])].join(', '),
    children: [],
  };
}

function numbers({ value, limit, missing }: Cell): string {
  return oneLine(value === null ? (missing ?? 'no data') : `${value} (limit ${limit})`);
}

/** While it is checked: afterwards nothing is read. */
function sourceNodes({ row, canary }: CanaryView, now: number): TreeNode[] {
  const { text, tone } = sourceHealth(row, now);
  if (text === '') return [];
  const name = oneLine(String(canary.source['kind'] ?? 'none'));
  return [
    { icon: tone === 'good' ? '✓' : '?', tone, kind: 'source', name, status: text, age: '', info: '', children: [] },
  ];
}

function hookNode({ action, hook, attempt, finished }: CanaryView['facts']['calls'][number]): TreeNode {
  const again = attempt > 1 ? [`attempt ${attempt}`] : [];
  const base = { kind: `${action} hook`, name: oneLine(hook), children: [] };
  if (finished === null) return { ...base, icon: '●', tone: 'active', status: 'called', age: '', info: again.join() };
  const { ok, detail, durationMs } = finished.data;
  return {
    ...base,
    icon: ok ? '✓' : '✗',
    tone: ok ? 'good' : 'bad',
    status: ok ? 'ok' : 'FAILED',
    age: milliseconds(durationMs),
    info: [...again, ...(ok || detail === null ? [] : [clip(detail)])].join(', '),
  };
}

function approvalNodes({ facts, row }: CanaryView): TreeNode[] {
  const given = facts.approvals.map(({ data }): TreeNode => {
    const status = `${data.count} of ${data.required}`;
    return said('✓', 'good', 'approval', data.by.who, status, data.reason);
  });
  const rejected = facts.rejected;
  const waits = row.approval?.state === 'awaiting' && facts.approvals.length === 0;
  return [
    ...given,
    ...(rejected === null
      ? []
      : [said('✗', 'bad', 'rejection', rejected.data.by.who, 'rejected', rejected.data.reason)]),
    ...(waits ? [said('○', 'warn', 'approval', '', `0 of ${row.approval!.required}`, '')] : []),
  ];
}

function said(icon: string, tone: Tone, kind: string, who: string, status: string, reason: string): TreeNode {
  return {
    icon,
    tone,
    kind,
    name: oneLine(who),
    status,
    age: '',
    info: reason === '' ? '' : `"${clip(reason)}"`,
    children: [],
  };
}

/** Who holds the gate that it wants to enter, or entered. */
function gateNode({ row }: CanaryView, gate: CanaryRecord['gate']): TreeNode {
  const newest = gate.at(-1);
  const holder = newest === undefined ? 'no holder' : `held by ${oneLine(newest.modelId)}`;
  const own = newest?.canaryId === row.id;
  return {
    icon: own ? '✓' : '·',
    tone: own ? 'good' : 'idle',
    kind: 'gate',
    name: oneLine(row.toGate),
    status: holder,
    age: '',
    info: newest === undefined ? '' : `since ${moment(Date.parse(newest.ts))}`,
    children: [],
  };
}

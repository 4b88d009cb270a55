import type { Glance } from '../judge/index.js';
import type { CanaryState } from '../ledger/index.js';
import type { Observed } from '../stream/index.js';
import { seqOf, type Told } from './told.js';

/** One canary in a list; plain JSON, made of stream events alone. Times are ms since the epoch. */
export interface CanaryRow {
  id: string;
  modelId: string;
  fromGate: string;
  toGate: string;
  dryRun: boolean;
  state: CanaryState;
  by: string | null;
  createdAt: number | null;
  startedAt: number | null;
  /** Seconds; null: not told yet. */
  windowSeconds: number | null;
  /** Seconds between two checks; null: not told. */
  intervalSeconds: number | null;
  endsAt: number | null;
  decidedAt: number | null;
  updatedAt: number;
  /** Why it ended as it did: a reason of a verdict, or what a person wrote. */
  reason: string | null;
  certainty: string | null;
  decidedBy: string | null;
  /** The promotion waits for people, or has been refused; null: neither. */
  approval: { state: 'awaiting' | 'rejected' | 'lapsed'; required: number; given: number } | null;
  /** What was carried out at its end; null: nothing yet. */
  acted: { action: string; ok: boolean; failed: string | null } | null;
  /** Since when readings have been missing for too long; null: they are there. */
  silentSince: number | null;
  /** When the newest check was made; null: none is known here. */
  checkedAt: number | null;
  /** How it stands by the newest check; null: not known here. */
  glance: Glance | null;
  /** Values of the newest checks by objective, oldest first; null where there was none. */
  trail: Record<string, (number | null)[]>;
  /** What it has been told already: entries of the log, and checks. */
  seq: number;
  tick: number;
}

/** Checks that a sparkline shows. */
const TRAIL = 40;

/** An empty row of what any event of a canary tells. */
export function newRow({ data, id }: Told): CanaryRow | null {
  const canaryId = text(data['canaryId']);
  if (canaryId === null) return null;
  return {
    id: canaryId,
    modelId: text(data['modelId']) ?? '',
    fromGate: text(data['fromGate']) ?? '',
    toGate: text(data['toGate']) ?? '',
    dryRun: data['dryRun'] === true,
    state: 'PENDING',
    by: null,
    createdAt: null,
    startedAt: null,
    windowSeconds: null,
    intervalSeconds: null,
    endsAt: null,
    decidedAt: null,
    updatedAt: time(data['ts']) ?? 0,
    reason: null,
    certainty: null,
    decidedBy: null,
    approval: null,
    acted: null,
    silentSince: null,
    checkedAt: null,
    glance: null,
    trail: {},
    seq: Math.max(0, seqOf(id) - 1),
    tick: -1,
  };
}

/** The row after an event; the same object when the event tells it nothing new. */
export function rowAfter(row: CanaryRow, told: Told): CanaryRow {
  if (told.name === 'metric') return afterCheck(row, told.data);
  const seq = seqOf(told.id);
  if (seq <= row.seq) return row;
  const { data } = told;
  const state = text(data['status']) as CanaryState | null;
  const base = { ...row, seq, state: state ?? row.state, updatedAt: time(data['ts']) ?? row.updatedAt };
  return { ...base, ...changeOf(base, told) };
}

function changeOf(row: CanaryRow, { name, data }: Told): Partial<CanaryRow> {
  const ts = time(data['ts']);
  switch (name) {
    case 'requested':
      return {
        createdAt: ts,
        windowSeconds: number(data['windowSeconds']),
        intervalSeconds: number(data['intervalSeconds']),
        by: text(data['by']),
      };
    case 'started': {
      const startedAt = time(data['startedAt']);
      const { windowSeconds } = row;
      return {
        startedAt,
        endsAt: startedAt === null || windowSeconds === null ? null : startedAt + windowSeconds * 1000,
      };
    }
    case 'extended':
      return { endsAt: time(data['windowEndsAt']) ?? row.endsAt };
    case 'fallback':
      return { silentSince: data['engaged'] === true ? time(data['since']) : null };
    case 'approved':
      return { approval: row.approval && { ...row.approval, given: number(data['approvals']) ?? row.approval.given } };
    case 'rejected':
      return {
        approval: { state: 'rejected', required: row.approval?.required ?? 1, given: 0 },
        reason: text(data['reason']),
      };
    case 'lapsed':
      return { approval: { state: 'lapsed', required: row.approval?.required ?? 1, given: 0 } };
    case 'acted':
      return { acted: { action: text(data['action']) ?? '', ok: data['ok'] === true, failed: text(data['failed']) } };
    case 'awaiting_approval':
      return {
        ...decision(row, data, ts),
        approval: { state: 'awaiting', required: number(data['required']) ?? 1, given: 0 },
      };
    case 'promoted':
    case 'rolled_back':
    case 'blocked':
    case 'aborted':
    case 'failed':
      return { ...decision(row, data, ts), approval: null };
    default:
      return {};
  }
}

function decision(row: CanaryRow, data: Told['data'], ts: number | null): Partial<CanaryRow> {
  const judged = (data['judged'] ?? null) as Glance | null;
  return {
    decidedAt: row.decidedAt ?? ts,
    reason: text(data['reason']) ?? text(data['message']) ?? row.reason,
    certainty: text(data['certainty']) ?? row.certainty,
    decidedBy: text(data['decidedBy']) ?? row.decidedBy,
    silentSince: null,
    ...(judged === null ? {} : { glance: judged }),
  };
}

function afterCheck(row: CanaryRow, data: Told['data']): CanaryRow {
  const tick = number(data['tick']);
  if (tick === null || tick <= row.tick) return row;
  const glance = (data['judged'] ?? null) as Glance | null;
  const observed = data as unknown as Observed;
  return {
    ...row,
    tick,
    updatedAt: Math.max(row.updatedAt, time(data['ts']) ?? 0),
    checkedAt: time(data['ts']) ?? row.checkedAt,
    state: row.state === 'PENDING' ? 'RUNNING' : row.state,
    glance: glance ?? row.glance,
    trail: tick === 0 ? row.trail : longer(row.trail, observed, glance ?? row.glance),
  };
}

/** The numbers of one check where the event has them, else how the objective stands over the window. */
function longer(trail: CanaryRow['trail'], observed: Observed, glance: Glance | null): CanaryRow['trail'] {
  const next: CanaryRow['trail'] = {};
  for (const { name, value } of glance?.objectives ?? []) {
    const own = name === 'latency_p95_ms' || name === 'error_rate' ? observed[name] : value;
    next[name] = [...(trail[name] ?? []), own].slice(-TRAIL);
  }
  return glance === null ? trail : next;
}

/** Whether somebody still has to do something about it: it runs, or waits for people. */
export function isOpenRow({ state, approval }: CanaryRow): boolean {
  return state === 'PENDING' || state === 'RUNNING' || approval?.state === 'awaiting';
}

/**
 * Whether nothing more happens by itself: it was decided and the decision carried out, or it ended otherwise. One that waits for
 * people waits for nobody else.
 */
export function isDoneRow({ state, acted }: CanaryRow): boolean {
  if (state === 'PENDING' || state === 'RUNNING') return false;
  return acted !== null || (state !== 'PROMOTED' && state !== 'ROLLED_BACK');
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function number(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

function time(value: unknown): number | null {
  const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(ms) ? null : ms;
}

import { type CanaryRow, isOpenRow, newRow, rowAfter } from './row.js';
import { seqOf, type Told } from './told.js';

/** A job in a list. Times are ms since the epoch. */
export interface JobRow {
  id: string;
  taskId: string;
  configId: string | null;
  dryRun: boolean;
  state: string;
  by: string | null;
  createdAt: number | null;
  updatedAt: number;
  durationMs: number | null;
  /** Why it failed, in words. */
  message: string | null;
  seq: number;
}

/** Who holds a gate, and since when. */
export interface GateRow {
  gate: string;
  modelId: string;
  previous: string | null;
  /** The canary that proved it; null: none. */
  canaryId: string | null;
  by: string;
  since: number;
  seq: number;
}

/** All that lists show; the rows are plain JSON and never changed, but replaced. */
export interface Overview {
  /** Id of the newest event that is in it; null: none. */
  position: string | null;
  canaries: Map<string, CanaryRow>;
  jobs: Map<string, JobRow>;
  gates: Map<string, GateRow>;
  /** Older canaries and jobs that are not listed. */
  older: { canaries: number; jobs: number };
  /** Why something may be missing; null: nothing is. */
  warning: string | null;
}

/** The same as it is sent. */
export interface OverviewJson {
  position: string | null;
  canaries: CanaryRow[];
  jobs: JobRow[];
  gates: GateRow[];
  older: { canaries: number; jobs: number };
  warning: string | null;
}

export function emptyOverview(): Overview {
  return {
    position: null,
    canaries: new Map(),
    jobs: new Map(),
    gates: new Map(),
    older: { canaries: 0, jobs: 0 },
    warning: null,
  };
}

export function overviewOf({ canaries, jobs, gates, ...rest }: OverviewJson): Overview {
  return {
    ...rest,
    canaries: new Map(canaries.map((row) => [row.id, row])),
    jobs: new Map(jobs.map((row) => [row.id, row])),
    gates: new Map(gates.map((row) => [row.gate, row])),
  };
}

/**
 * Takes an event in. An event that has been taken before changes nothing, so that a list may be newer than the place from
 * which the stream is read.
 * @returns whether anything changed
 */
export function take(overview: Overview, told: Told): boolean {
  const { data } = told;
  const changed =
    typeof data['canaryId'] === 'string' && !('gate' in data)
      ? takeCanary(overview, data['canaryId'], told)
      : typeof data['jobId'] === 'string'
        ? takeJob(overview, data['jobId'], told)
        : told.name === 'gate_changed' && takeGate(overview, told);
  overview.position = told.id;
  return changed;
}

/**
 * How canaries stand by rows that were read just now, where that is newer than what is there: events that are sent of checks of
 * long ago tell their numbers alone.
 * @returns whether anything changed
 */
export function takeStandings({ canaries }: Overview, rows: readonly CanaryRow[]): boolean {
  let changed = false;
  for (const { id, glance, trail, tick } of rows) {
    const row = canaries.get(id);
    if (row === undefined || glance === null || glance.tick <= (row.glance?.tick ?? -1)) continue;
    // Checks that are in the trail are not added to it again.
    canaries.set(id, { ...row, glance, trail, tick: Math.max(row.tick, tick) });
    changed = true;
  }
  return changed;
}

function takeCanary({ canaries, older }: Overview, id: string, told: Told): boolean {
  const before = canaries.get(id) ?? newRow(told);
  if (before === null) return false;
  const after = rowAfter(before, told);
  if (after === canaries.get(id)) return false;
  if (!canaries.has(id)) older.canaries += forgetOldest(canaries, isOpenRow);
  canaries.set(id, after);
  return true;
}

/** Makes room for one more: whoever follows for weeks keeps no more that ended than somebody looks through. @returns how many were dropped */
function forgetOldest<R extends { id: string; updatedAt: number }>(
  rows: Map<string, R>,
  isOpen: (row: R) => boolean,
): number {
  if (rows.size < MOST_KEPT) return 0;
  let oldest: R | null = null;
  for (const row of rows.values())
    if (!isOpen(row) && (oldest === null || row.updatedAt < oldest.updatedAt)) oldest = row;
  return oldest !== null && rows.delete(oldest.id) ? 1 : 0;
}

const MOST_KEPT = 1000;

function takeJob({ jobs, older }: Overview, id: string, told: Told): boolean {
  const { data } = told;
  const seq = seqOf(told.id);
  const before = jobs.get(id);
  if (before !== undefined && seq <= before.seq) return false;
  const ts = typeof data['ts'] === 'string' ? Date.parse(data['ts']) : 0;
  if (before === undefined) older.jobs += forgetOldest(jobs, isOpenJob);
  jobs.set(id, {
    id,
    taskId: String(data['taskId'] ?? ''),
    configId: typeof data['configId'] === 'string' ? data['configId'] : null,
    dryRun: data['dryRun'] === true,
    state: String(data['status'] ?? told.name),
    by: before?.by ?? (typeof data['by'] === 'string' ? data['by'] : null),
    createdAt: before?.createdAt ?? (told.name === 'queued' ? ts : null),
    updatedAt: ts,
    durationMs: typeof data['durationMs'] === 'number' ? data['durationMs'] : null,
    message: typeof data['message'] === 'string' ? data['message'] : null,
    seq,
  });
  return true;
}

/** Whether it waits or runs. */
export function isOpenJob({ state }: JobRow): boolean {
  return state === 'queued' || state === 'running';
}

function takeGate({ gates }: Overview, { id, data }: Told): boolean {
  const seq = seqOf(id);
  const gate = String(data['gate']);
  if (seq <= (gates.get(gate)?.seq ?? -1)) return false;
  gates.set(gate, {
    gate,
    modelId: String(data['modelId']),
    previous: typeof data['previous'] === 'string' ? data['previous'] : null,
    canaryId: typeof data['canaryId'] === 'string' ? data['canaryId'] : null,
    by: String(data['by'] ?? ''),
    since: Date.parse(String(data['ts'])),
    seq,
  });
  return true;
}

export type SortKey = 'newest' | 'model' | 'state' | 'evidence' | 'left';

export interface Selection {
  /** Words that all have to be in the id, model, gates, state or reason. */
  search?: string;
  states?: readonly string[];
  sort?: SortKey;
}

/** The canaries that a list shows, in order: those that somebody has to do something about first, then the newest. */
export function listed(
  { canaries }: Overview,
  { search = '', states = [], sort = 'newest' }: Selection = {},
): CanaryRow[] {
  const words = search
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  const rows = [...canaries.values()].filter(
    (row) => (states.length === 0 || states.includes(row.state)) && words.every((word) => haystack(row).includes(word)),
  );
  const compare = ORDERS[sort];
  return rows.sort((a, b) => compare(a, b) || newestFirst(a, b));
}

function haystack({ id, modelId, fromGate, toGate, state, reason, by }: CanaryRow): string {
  return `${id} ${modelId} ${fromGate} ${toGate} ${state} ${state.replaceAll('_', ' ')} ${reason ?? ''} ${by ?? ''}`.toLowerCase();
}

const ORDERS: Readonly<Record<SortKey, (a: CanaryRow, b: CanaryRow) => number>> = {
  newest: (a, b) => Number(isOpenRow(b)) - Number(isOpenRow(a)),
  model: (a, b) => compareText(a.modelId, b.modelId),
  state: (a, b) => compareText(a.state, b.state),
  evidence: (a, b) => (b.glance?.logE ?? Number.NEGATIVE_INFINITY) - (a.glance?.logE ?? Number.NEGATIVE_INFINITY) || 0,
  left: (a, b) => (a.endsAt ?? Number.POSITIVE_INFINITY) - (b.endsAt ?? Number.POSITIVE_INFINITY) || 0,
};

function newestFirst(a: CanaryRow, b: CanaryRow): number {
  return (b.createdAt ?? b.updatedAt) - (a.createdAt ?? a.updatedAt) || compareText(a.id, b.id);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The jobs that a list shows: unfinished ones first, then the newest. */
export function listedJobs({ jobs }: Overview): JobRow[] {
  const open = (row: JobRow) => Number(isOpenJob(row));
  return [...jobs.values()].sort(
    (a, b) => open(b) - open(a) || (b.createdAt ?? b.updatedAt) - (a.createdAt ?? a.updatedAt),
  );
}

export function listedGates({ gates }: Overview): GateRow[] {
  return [...gates.values()].sort((a, b) => compareText(a.gate, b.gate));
}

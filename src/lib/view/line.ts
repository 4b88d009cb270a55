import { count, milliseconds, seconds } from '../explain/index.js';
import { clip, oneLine, visible } from '../input/index.js';
import type { Glance } from '../judge/index.js';
import type { CanaryState } from '../ledger/index.js';
import { type Cell, cellOf, meterOf } from './cell.js';
import { type CanaryRow, isOpenRow } from './row.js';
import { jobLook, stateLook } from './state.js';
import type { Told } from './told.js';

type Data = Told['data'];

/** Between the parts of a line. */
const GAP = '  ';

/**
 * What happened, in one line for a log: `12:00:05Z  c-m8k2x0  fraud-v2  stage → production  RUNNING  the window begins`. Times are
 * UTC. What came from outside cannot break the line.
 * @param checks whether checks are told as well
 * @returns null for what is not worth a line
 */
export function lineOf({ name, data }: Told, { checks }: { checks: boolean }): string | null {
  if (typeof data['promotionId'] === 'string') return promotionLine(name, data);
  if (name === 'gate_changed') return gateLine(data);
  if (typeof data['jobId'] === 'string') return jobLine(data);
  if (typeof data['canaryId'] !== 'string' || (name === 'metric' && !checks)) return null;
  const what = canaryNews(name, data);
  if (what === null) return null;
  const state = stateLook(data['status'] as CanaryState).word;
  return line(data['ts'], text(data['canaryId']), text(data['modelId']), gates(data), state, what);
}

/** How a canary stands, in one line of the same form. @param now ms since the epoch */
export function rowLine(row: CanaryRow, now: number): string {
  const { id, modelId, state, glance, approval } = row;
  const open = isOpenRow(row);
  const parts = [
    ...(approval?.state === 'awaiting' ? [`waits for approval (${approval.given} of ${approval.required})`] : []),
    ...(open || row.reason === null ? [] : [reasonText(row.reason)]),
    ...(glance === null ? [] : [standing(glance)]),
  ];
  return line(new Date(now).toISOString(), id, visible(modelId), gates({ ...row }), stateLook(state).word, ...parts);
}

function line(ts: unknown, ...parts: (string | null)[]): string {
  const time = typeof ts === 'string' ? `${ts.slice(11, 19)}Z` : '';
  return [time, ...parts.filter((part) => part !== null && part !== '')].join(GAP);
}

function gates({ fromGate, toGate, dryRun }: Data): string {
  return `${text(fromGate)} → ${text(toGate)}${dryRun === true ? ' (dry run)' : ''}`;
}

function canaryNews(name: string, data: Data): string | null {
  const by = person(data['by']);
  switch (name) {
    case 'requested':
      return `requested${by}; window ${seconds(Number(data['windowSeconds']))}`;
    case 'started':
      return 'the window begins';
    case 'metric':
      return standingAfter(data);
    case 'fallback':
      return data['engaged'] === true
        ? `no data since ${clock(data['since'])}; nothing is promoted while data is missing`
        : `data is back after ${seconds(Number(data['seconds']))}`;
    case 'extended':
      return `undecided at the end of the window; extended to ${clock(data['windowEndsAt'])}`;
    case 'held':
      return `rollback on hold: ${text(data['objective'])} is too high on the baseline as well`;
    case 'awaiting_approval':
      return `waits for ${count(Number(data['required']))} approvals${because(data)}`;
    case 'approved':
      return `approved${by} (${data['approvals']} of ${data['required']})${quoted(data['reason'])}`;
    case 'rejected':
      return `rejected${by}${quoted(data['reason'])}`;
    case 'lapsed':
      return 'the approvals lapsed before the promotion was carried out';
    case 'reviewed':
      return `its promotion without approvals was reviewed${by}${quoted(data['reason'])}`;
    case 'promoted':
    case 'rolled_back':
    case 'blocked':
      return decided(data);
    case 'aborted':
      return `aborted${by}${quoted(data['reason'])}`;
    case 'failed':
      return clip(String(data['message'] ?? 'could not run'));
    case 'hook':
      return hook(data);
    case 'acted':
      return acted(data);
    default:
      return null;
  }
}

/** How a check left a canary; from far back the log tells the numbers of the check alone. */
function standingAfter(data: Data): string {
  const judged = (data['judged'] ?? null) as Glance | null;
  const check = `check ${data['tick']}`;
  if (judged !== null) return [check, standing(judged)].join(GAP);
  const { requests } = data;
  return typeof requests === 'number' ? `${check}${GAP}${count(requests)} requests` : check;
}

function standing(glance: Glance): string {
  const cells = glance.objectives.map((objective) => cellText(cellOf(objective)));
  return [...cells, `evidence against it: ${meterOf(glance).text}`].join(GAP);
}

/** `✗ error_rate 3.8% (limit 2%)`. */
export function cellText({ mark, name, value, limit, missing, reportOnly }: Cell): string {
  const numbers = value === null ? (missing ?? 'no data') : `${value} (limit ${limit})`;
  return `${mark} ${visible(name)} ${visible(numbers)}${reportOnly ? ', report only' : ''}`;
}

function decided(data: Data): string {
  if (data['breakGlass'] === true) return `promoted without approvals${person(data['by'])}${quoted(data['reason'])}`;
  if (data['override'] === true) return `promoted by hand${person(data['by'])}${quoted(data['reason'])}`;
  if (data['approved'] === true) return `the last approval was given${person(data['by'])}${quoted(data['reason'])}`;
  const after = typeof data['elapsedSeconds'] === 'number' ? ` after ${seconds(data['elapsedSeconds'])}` : '';
  return `decided${after}${because(data)}`;
}

/** `: evidence against it, error_rate 3.8% (limit 2%)`. */
function because(data: Data): string {
  const { reason, decidedBy, judged } = data;
  if (typeof reason !== 'string') return '';
  if (data['override'] === true) return quoted(reason);
  const glance = (judged ?? null) as Glance | null;
  const by = glance?.objectives.find(({ name }) => name === decidedBy);
  return `: ${reasonText(reason)}${by === undefined ? '' : `, ${cellText(cellOf(by)).slice(2)}`}`;
}

/** Why something ended, in words: of a verdict its reason, else what a person wrote. */
export function reasonText(reason: string): string {
  return REASONS[reason] ?? clip(reason);
}

const REASONS: Readonly<Record<string, string>> = {
  certified_at_end: 'certified at the end of the window',
  certified_early: 'certified before the end of the window',
  met_without_certificate: 'targets met, not certified',
  evidence_against: 'evidence against it',
  failing_readings: 'too many failing readings',
  inconclusive: 'the evidence suffices neither way',
  not_attributable: 'the baseline misses the same target',
  coverage: 'too few checks had data',
  unstable_counters: 'its counters are unstable',
  unavailable: 'it did not answer too often',
  restarts: 'it restarted too often',
  no_bucket: 'no bucket at or above the limit',
  no_baseline: 'no data of the baseline',
  no_data: 'no data',
  source_unreachable: 'the metrics source cannot be reached',
  no_source: 'no metrics source',
};

function hook(data: Data): string {
  const called = `${text(data['action'])} hook "${clip(String(data['hook']))}"`;
  const again = Number(data['attempt']) > 1 ? `, attempt ${data['attempt']}` : '';
  const took = typeof data['durationMs'] === 'number' ? ` in ${milliseconds(data['durationMs'])}` : '';
  if (data['ok'] === true) return `${called} called${took}${again}`;
  return `${called} FAILED${again}: ${clip(String(data['detail'] ?? ''))}`;
}

function acted(data: Data): string {
  if (data['ok'] !== true) return `not carried out: hook "${clip(String(data['failed']))}" FAILED`;
  const hooks = Number(data['hooks'] ?? 0);
  return `${text(data['action'])} carried out; ${hooks === 0 ? 'no hook' : hooks === 1 ? '1 hook' : `${hooks} hooks`} called`;
}

function gateLine(data: Data): string {
  const { gate, modelId, previous, canaryId } = data;
  const before = typeof previous === 'string' ? `, before it ${text(previous)}` : '';
  const proof = typeof canaryId === 'string' ? ` (${text(canaryId)})` : '';
  return line(data['ts'], `gate ${text(gate)}`, `now holds ${text(modelId)}${proof}${before}${person(data['by'])}`);
}

function promotionLine(name: string, data: Data): string {
  const { promotionId, modelId, gate } = data;
  const result = name === 'promotion_requested' ? `requested${person(data['by'])}` : promotionEnd(data);
  return line(data['ts'], text(promotionId), text(modelId), `→ ${text(gate)}`, 'promotion', result);
}

function promotionEnd({ ok, failed, changed }: Data): string {
  if (ok !== true) return `hook "${clip(String(failed))}" FAILED`;
  return changed === true ? 'carried out' : 'carried out; the gate held it already';
}

function jobLine(data: Data): string {
  const { jobId, taskId, configId, status } = data;
  const took = typeof data['durationMs'] === 'number' ? `after ${milliseconds(data['durationMs'])}` : '';
  const what = typeof data['message'] === 'string' ? clip(data['message']) : '';
  const dry = data['dryRun'] === true ? '(dry run)' : '';
  const by = status === 'queued' ? person(data['by']).trim() : '';
  const task = [text(taskId), typeof configId === 'string' ? text(configId) : '', dry].filter((part) => part !== '');
  return line(data['ts'], text(jobId), task.join(' '), jobLook(String(status)).word, took, what, by);
}

function person(who: unknown): string {
  return typeof who === 'string' && who !== '' ? ` by ${oneLine(who)}` : '';
}

function quoted(reason: unknown): string {
  return typeof reason === 'string' && reason !== '' ? `: "${clip(reason)}"` : '';
}

function text(value: unknown): string {
  return typeof value === 'string' ? oneLine(value) : '';
}

/** `12:00:05Z`, of a time as data has it. */
function clock(at: unknown): string {
  return typeof at === 'string' ? `${at.slice(11, 19)}Z` : 'an unknown time';
}

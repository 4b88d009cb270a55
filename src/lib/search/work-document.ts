import { clip, oneLine, seconds } from '../explain/index.js';
import type { Document, JobOutput, StoredEvent } from '../ledger/index.js';
import { isJobEvent, jobStateAfter } from '../readings/index.js';

const LONGEST_LINE = 600;

/** A job or a promotion as it can be found, with what fetching it adds. */
export interface WorkDocument extends Document {
  /** `queued`, `running`, `completed`, `failed`; of a promotion `requested`, `promoted`, `unchanged`, `failed`. */
  status: string;
  metadata: Record<string, string>;
}

type Request = Extract<StoredEvent, { kind: 'job.queued' | 'promotion.requested' }>;

/** From all events of its subject; null when they are of something else. */
export function workDocument(id: string, events: readonly StoredEvent[]): WorkDocument | null {
  const request = events.find((e): e is Request => e.kind === 'job.queued' || e.kind === 'promotion.requested');
  const last = events.at(-1);
  if (request === undefined || last === undefined) return null;
  const made = request.kind === 'job.queued' ? job(id, request, events) : promotion(id, request, events);
  const times = { createdAt: request.ts, updatedAt: last.ts, requestedBy: request.data.requestedBy.who };
  return { ...made, metadata: { status: made.status, ...made.metadata, ...times } };
}

function job(id: string, { data }: Extract<StoredEvent, { kind: 'job.queued' }>, events: readonly StoredEvent[]) {
  const { taskId, configId, dryRun, command, requestedBy } = data;
  const last = events.findLast(isJobEvent);
  const status = last === undefined ? 'queued' : jobStateAfter(last);
  const config = configId === null ? '' : ` with ${configId}`;
  return {
    id: `job:${id}`,
    status,
    title: oneLine(`job ${taskId}${config}: ${status}${dryRun ? ' (dry run)' : ''} (${id})`),
    body: [
      `Task ${taskId}${config}, requested by ${requestedBy.who}.`,
      ...(command === null ? [] : [`Command: ${clip(command.join(' '), LONGEST_LINE)}`]),
      ...events.flatMap(jobLines),
    ].join('\n'),
    metadata: { jobId: id, taskId, ...(configId === null ? {} : { configId }) },
  };
}

function jobLines(event: StoredEvent): string[] {
  if (event.kind === 'job.completed') {
    const { durationMs, metrics, output } = event.data;
    const measured = Object.entries(metrics ?? {}).map(([name, value]) => `${name} = ${value}`);
    return [
      `Completed after ${seconds(durationMs / 1000)}.`,
      ...measured.map((m) => clip(m, LONGEST_LINE)),
      ...tail(output),
    ];
  }
  if (event.kind !== 'job.failed') return [];
  const { reason, message, output, by } = event.data;
  const who = by === null ? '' : ` by ${by.who}`;
  return [`Failed (${reason}${who}): ${clip(message, LONGEST_LINE)}`, ...tail(output)];
}

function tail(output: JobOutput | null): string[] {
  return output === null || output.tail.trim() === '' ? [] : ['Output:', ...output.tail.split('\n').map(oneLine)];
}

function promotion(
  id: string,
  { data }: Extract<StoredEvent, { kind: 'promotion.requested' }>,
  events: readonly StoredEvent[],
) {
  const { modelId, gate, previous, canaryId, requestedBy } = data;
  const end = events.findLast((e) => e.kind === 'promotion.finished')?.data;
  const status = end === undefined ? 'requested' : !end.ok ? 'failed' : end.changed ? 'promoted' : 'unchanged';
  return {
    id: `promotion:${id}`,
    status,
    title: oneLine(`promotion of ${modelId} to ${gate}: ${status} (${id})`),
    body: [
      `${modelId} to ${gate}${previous === null ? '' : `, held by ${previous} before`}; requested by ${requestedBy.who}.`,
      canaryId === null ? 'Not based on a canary.' : `Proved by canary ${canaryId}.`,
      ...(end?.failed == null ? [] : [`Failed: ${clip(end.failed, LONGEST_LINE)}`]),
      ...events.flatMap((e) => (e.kind === 'hook.finished' ? hookLine(e.data) : [])),
    ].join('\n'),
    metadata: { promotionId: id, modelId, gate, ...(canaryId === null ? {} : { canaryId }) },
  };
}

function hookLine({ hook, ok, detail }: { hook: string; ok: boolean; detail: string }): string {
  return oneLine(`Hook ${hook} ${ok ? 'finished' : 'failed'}: ${clip(detail, LONGEST_LINE)}`);
}

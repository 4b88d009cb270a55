import type { StoredEvent } from '../../ledger/index.js';
import type { EventOf } from '../../readings/index.js';
import { mathUnknown, type WhyMath } from '../math.js';
import { type Narrative, narrateUnknown, section } from '../section.js';
import { clip, milliseconds, moment, oneLine, seconds, timeOn } from '../words.js';
import { person } from './request.js';

/** What the log holds about one job, or held at a time. */
export interface JobHistory {
  id: string;
  /** In order; the first is `job.queued`. */
  events: readonly StoredEvent[];
  /** Nothing later than this was read, ms since the epoch; null: all there is. */
  asOf: number | null;
}

interface Facts {
  queued: EventOf<'job.queued'>;
  running: EventOf<'job.running'> | null;
  completed: EventOf<'job.completed'> | null;
  failed: EventOf<'job.failed'> | null;
}

/** Lines of a job's output that are shown; the log has up to 8 KiB. */
const LINES = 5;

/** A job in words, from its events: request, timeline, metrics, output; pure. */
export function narrateJob({ id, events, asOf }: JobHistory): Narrative {
  const facts = factsOf(events);
  if (!facts) return narrateUnknown(id, asOf);
  const then = asOf === null ? '' : `As of ${moment(asOf)}: `;
  return {
    id,
    about: 'job',
    state: null,
    title: oneLine(`${then}${outcome(facts)}`),
    asOf: asOf === null ? null : new Date(asOf).toISOString(),
    sections: [
      ...section('Request', 'prose', request(id, facts)),
      ...section('Timeline', 'list', course(facts)),
      ...section('Metrics', 'list', found(facts)),
      ...section('End of its output', 'list', outputTail(facts)),
      ...section('Next steps', 'list', next(id, facts, asOf)),
    ],
  };
}

/** The shape of `why-math` for a job: it has no thresholds; its state is the decision, and its metrics are there. */
export function mathOfJob({ id, events, asOf }: JobHistory): WhyMath {
  const facts = factsOf(events);
  const unknown = mathUnknown(id, asOf);
  if (!facts) return unknown;
  const { queued, running, completed, failed } = facts;
  const end = completed ?? failed;
  return {
    ...unknown,
    decision: stateOf(facts),
    time_to_action_sec: end && running ? (Date.parse(end.ts) - Date.parse(running.ts)) / 1000 : null,
    dryRun: queued.data.dryRun,
    why: oneLine(outcome(facts)),
    metrics: completed?.data.metrics ?? null,
  };
}

function factsOf(events: readonly StoredEvent[]): Facts | null {
  const [queued] = events;
  if (queued?.kind !== 'job.queued') return null;
  const facts: Facts = { queued, running: null, completed: null, failed: null };
  for (const event of events) {
    if (event.kind === 'job.running') facts.running = event;
    if (event.kind === 'job.completed') facts.completed = event;
    if (event.kind === 'job.failed') facts.failed = event;
  }
  return facts;
}

function stateOf({ running, completed, failed }: Facts): 'queued' | 'running' | 'completed' | 'failed' {
  if (completed) return 'completed';
  if (failed) return 'failed';
  return running ? 'running' : 'queued';
}

const FAILURES = {
  exit: 'failed',
  start: 'could not be started',
  timeout: 'timed out and was stopped',
  cancelled: 'was cancelled',
  metrics: 'ended without readable metrics',
  lost: 'was lost',
} as const;

function outcome(facts: Facts): string {
  const { taskId, configId, dryRun } = facts.queued.data;
  const name = `Job ${taskId}${configId === null ? '' : ` for ${configId}`}${dryRun ? ' (dry run)' : ''}`;
  switch (stateOf(facts)) {
    case 'completed':
      return `${name} completed`;
    case 'failed':
      return `${name} ${FAILURES[facts.failed?.data.reason ?? 'exit']}`;
    case 'running':
      return `${name} is running`;
    default:
      return `${name} is queued`;
  }
}

function request(id: string, { queued }: Facts): string[] {
  const { taskId, configId, dryRun, command, timeoutSeconds, requestedBy } = queued.data;
  const about = configId === null ? '' : ` with configuration ${configId}`;
  const what = command === null ? 'The task is built in' : `Its command is ${clip(command.map(quoted).join(' '))}`;
  return [
    `${person(requestedBy)} queued job ${id} on ${moment(Date.parse(queued.ts))}: task ${taskId}${about}.`,
    ...(dryRun ? ['It is a dry run: it only checks that the program can be started.'] : []),
    `${what}; its timeout is ${seconds(timeoutSeconds)}.`,
  ];
}

/** As it would be typed; only for people to read. */
function quoted(argument: string): string {
  return /^[\w@%+=:,./{}-]+$/.test(argument) ? argument : JSON.stringify(argument);
}

function course({ queued, running, completed, failed }: Facts): string[] {
  const day = Date.parse(queued.ts);
  const at = (event: StoredEvent) => timeOn(Date.parse(event.ts), day);
  const lines: string[] = [];
  if (running) {
    const waited = (Date.parse(running.ts) - day) / 1000;
    const { pid } = running.data;
    lines.push(
      `At ${at(running)} it started, after ${seconds(waited)} in the queue${pid === null ? '' : `, as process ${pid}`}.`,
    );
  }
  if (completed) lines.push(`At ${at(completed)} it completed, after ${milliseconds(completed.data.durationMs)}.`);
  if (failed) {
    const { by, message, durationMs } = failed.data;
    const after = durationMs === null ? '' : `, after ${milliseconds(durationMs)}`;
    const who = by === null ? '' : `, by ${person(by)}`;
    lines.push(`At ${at(failed)} it failed${after}${who}: ${clip(message).replace(/\.$/, '')}.`);
  }
  return lines;
}

function found({ completed }: Facts): string[] {
  return Object.entries(completed?.data.metrics ?? {}).map(([name, value]) => `${name} = ${clip(String(value))}`);
}

function outputTail({ completed, failed }: Facts): string[] {
  const output = (completed ?? failed)?.data.output;
  const lines = (output?.tail ?? '').split('\n').filter((line) => line.trim() !== '');
  return lines.slice(-LINES).map((line) => clip(line));
}

function next(id: string, facts: Facts, asOf: number | null): string[] {
  if (asOf !== null) return [`For the current state: lukhas why ${id}`];
  switch (stateOf(facts)) {
    case 'completed':
      return [`For everything as JSON: lukhas job status ${id} --json`];
    case 'failed':
      return [`Fix what the message names, then run: lukhas job run ${facts.queued.data.taskId}`];
    case 'running':
      return [`To stop it: lukhas job cancel ${id} --reason "..."`];
    default:
      return ['It starts when a process that runs jobs is free: lukhas serve, or another lukhas job run.'];
  }
}

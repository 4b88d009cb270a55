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

/** Lines of a job's output that are told; the log has up to 8 KiB. */
const LINES = 5;

/** Tells a job from its events: what was asked, what happened, how it ended, what it found; pure. */
export function narrateJob({ id, events, asOf }: JobHistory): Narrative {
  const facts = factsOf(events);
  if (!facts) return narrateUnknown(id, asOf);
  const then = asOf === null ? '' : `As it was known at ${moment(asOf)}: `;
  return {
    id,
    about: 'job',
    state: null,
    title: oneLine(`${then}${outcome(facts)}`),
    asOf: asOf === null ? null : new Date(asOf).toISOString(),
    sections: [
      ...section('What was asked', 'prose', asked(id, facts)),
      ...section('What happened', 'list', course(facts)),
      ...section('What it found', 'list', found(facts)),
      ...section('What it wrote last', 'list', written(facts)),
      ...section('What to do next', 'list', next(id, facts, asOf)),
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
  timeout: 'took too long and was stopped',
  cancelled: 'was cancelled',
  metrics: 'ended without metrics that can be read',
  lost: 'was lost',
} as const;

function outcome(facts: Facts): string {
  const { taskId, configId, dryRun } = facts.queued.data;
  const name = `The job ${taskId}${configId === null ? '' : ` for ${configId}`}${dryRun ? ' (dry run)' : ''}`;
  switch (stateOf(facts)) {
    case 'completed':
      return `${name} completed`;
    case 'failed':
      return `${name} ${FAILURES[facts.failed?.data.reason ?? 'exit']}`;
    case 'running':
      return `${name} is running`;
    default:
      return `${name} waits for its turn`;
  }
}

function asked(id: string, { queued }: Facts): string[] {
  const { taskId, configId, dryRun, command, timeoutSeconds, requestedBy } = queued.data;
  const about = configId === null ? '' : ` with the configuration ${configId}`;
  const what = command === null ? 'It is built in' : `Its command is ${clip(command.map(quoted).join(' '))}`;
  return [
    `${person(requestedBy)} asked on ${moment(Date.parse(queued.ts))} that the task ${taskId} be run${about}; this is job ${id}.`,
    ...(dryRun ? ['It is a dry run: it is only looked whether the program can be started.'] : []),
    `${what}, and it may take ${seconds(timeoutSeconds)}.`,
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
      `At ${at(running)} it began, after ${seconds(waited)} of waiting${pid === null ? '' : `, as process ${pid}`}.`,
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

function written({ completed, failed }: Facts): string[] {
  const output = (completed ?? failed)?.data.output;
  const lines = (output?.tail ?? '').split('\n').filter((line) => line.trim() !== '');
  return lines.slice(-LINES).map((line) => clip(line));
}

function next(id: string, facts: Facts, asOf: number | null): string[] {
  if (asOf !== null) return [`This is the past; how it stands now: lukhas why ${id}`];
  switch (stateOf(facts)) {
    case 'completed':
      return [`All of it as a document: lukhas job status ${id} --json`];
    case 'failed':
      return [`Run it again when what it says is mended: lukhas job run ${facts.queued.data.taskId}`];
    case 'running':
      return [`End it: lukhas job cancel ${id} --reason "..."`];
    default:
      return ['It begins when a process that runs jobs has room: lukhas serve, or a lukhas job run of its own.'];
  }
}

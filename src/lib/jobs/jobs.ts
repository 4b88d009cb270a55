import { type Clock, timestamp } from '../clock.js';
import { isConflict, LukhasError } from '../errors.js';
import { parseName } from '../input/index.js';
import type { Actor, EventData, Ledger, SubjectSummary, SummaryFilter } from '../ledger/index.js';
import { newId, resolveId } from '../ledger/index.js';
import type { Job, Listing } from '../readings/index.js';
import { isFinal, listOf } from '../readings/index.js';
import { BUILTIN_TASKS } from './builtin.js';
import { appendToJob, JOB, loadJob } from './log.js';
import { stopIfAbandoned } from './orphan.js';
import { wellFormed } from './outcome.js';
import type { TasksConfig } from './task.js';
import { commandOf } from './task.js';

export interface JobRequest {
  taskId: string;
  /** The evaluation's configuration, whatever the task understands by it. */
  configId: string | null;
  dryRun: boolean;
  by: Actor;
  /** Instead of the task's own limit. */
  timeoutSeconds?: number;
}

const RACES = 5;
const REASON_CHARACTERS = 1000;

/** The verbs on jobs that a person or a program asks for; a JobRunner does the work. */
export class Jobs {
  constructor(
    private readonly ledger: Ledger,
    private readonly clock: Clock,
    private readonly configured: TasksConfig,
  ) {}

  /** The tasks that can be run, by name. */
  tasks(): { id: string; description: string }[] {
    const builtin = Object.entries(BUILTIN_TASKS).map(([id, { description }]) => ({ id, description }));
    const configured = Object.entries(this.configured).map(([id, { command, description }]) => ({
      id,
      description: description ?? command.join(' '),
    }));
    return [...builtin, ...configured].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /**
   * Records the request; the job is queued until a runner takes it.
   * @throws LukhasError USAGE: an unknown task, with those that are known; a bad or missing configuration
   */
  async start(request: JobRequest): Promise<Job> {
    const configId = request.configId === null ? null : parseName('configuration', request.configId);
    const asked = this.taskOf(request.taskId, configId);
    const now = this.clock.now();
    return appendToJob(this.ledger, null, {
      kind: 'job.queued',
      subject: newId('j', now),
      ts: timestamp(now),
      data: {
        taskId: request.taskId,
        configId,
        dryRun: request.dryRun,
        requestedBy: request.by,
        ...asked,
        ...(request.timeoutSeconds === undefined ? {} : { timeoutSeconds: request.timeoutSeconds }),
      },
    });
  }

  /** @throws LukhasError NOT_FOUND, AMBIGUOUS_ID; USAGE for a beginning of less than 6 characters */
  async get(idOrPrefix: string): Promise<Job> {
    return loadJob(this.ledger, await resolveId(this.ledger, idOrPrefix, JOB));
  }

  /** Newest first, each as its own entries tell it. */
  async list(filter: Omit<SummaryFilter, 'type' | 'modelId'> = {}): Promise<SubjectSummary[]> {
    return (await this.listing(filter)).summaries;
  }

  /** The same, and what the list may lack. */
  listing(filter: Omit<SummaryFilter, 'type' | 'modelId'> = {}): Promise<Listing> {
    return listOf(this.ledger, { ...filter, type: 'job' });
  }

  /**
   * Fails a job that has not ended, with the reason `cancelled`. Whoever runs its program sees the entry and stops the
   * program; if that process is dead, the program is stopped here.
   * @throws LukhasError ILLEGAL_TRANSITION when it has ended; NOT_FOUND, AMBIGUOUS_ID
   */
  async cancel(id: string, by: Actor, reason?: string): Promise<Job> {
    const given = wellFormed(reason?.trim().slice(0, REASON_CHARACTERS) ?? '');
    const message = given === '' ? 'cancelled' : `cancelled: ${given}`;
    for (let race = 1; ; race++) {
      const job = await this.get(id);
      if (isFinal(job.state))
        throw new LukhasError('ILLEGAL_TRANSITION', `Job ${job.id} is ${job.state}: it cannot be cancelled.`, {
          suggestions: [`Check it: lukhas job status ${job.id}`],
        });
      try {
        const cancelled = await this.fail(job, message, by);
        await stopIfAbandoned(this.ledger, job, this.clock);
        return cancelled;
      } catch (error) {
        // It began or ended in between; whether it can be cancelled is asked again.
        if (!isConflict(error) || race === RACES) throw error;
      }
    }
  }

  private fail(job: Job, message: string, by: Actor): Promise<Job> {
    const now = this.clock.now();
    const durationMs = job.startedAt === null ? null : Math.max(0, now - Date.parse(job.startedAt));
    return appendToJob(this.ledger, job, {
      kind: 'job.failed',
      subject: job.id,
      ts: timestamp(now),
      data: { reason: 'cancelled', message, durationMs, exitCode: null, output: null, by },
    });
  }

  private taskOf(id: string, configId: string | null): Pick<EventData['job.queued'], 'command' | 'timeoutSeconds'> {
    const builtin = Object.hasOwn(BUILTIN_TASKS, id) ? BUILTIN_TASKS[id] : undefined;
    if (builtin) return { command: null, timeoutSeconds: builtin.timeoutSeconds };
    const task = Object.hasOwn(this.configured, id) ? this.configured[id] : undefined;
    if (task) return { command: commandOf(id, task, configId), timeoutSeconds: task.timeoutSeconds };
    throw new LukhasError(
      'USAGE',
      `There is no task ${JSON.stringify(id.slice(0, 80))}; known are: ${this.tasks()
        .map((known) => known.id)
        .join(', ')}`,
      { suggestions: ['Define it under `tasks` in lukhas.yaml (docs/jobs.md).'] },
    );
  }
}

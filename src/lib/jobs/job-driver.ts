import { isDeepStrictEqual } from 'node:util';
import { type Clock, timestamp } from '../clock.js';
import { isConflict, LukhasError, systemError } from '../errors.js';
import { type Actor, actingFor, type EventDraft, isDead, type Lease, type Ledger } from '../ledger/index.js';
import { processMark } from '../process/index.js';
import type { Job } from '../readings/index.js';
import type { Builtin } from './builtin.js';
import { appendToJob, loadJob } from './log.js';
import { pause, staysQueued, unrecorded } from './not-recorded.js';
import { stopProcesses } from './orphan.js';
import { failed, type Outcome } from './outcome.js';
import { runBuiltin, runTask, type TaskRun } from './run-task.js';
import type { TaskConfig, TasksConfig } from './task.js';
import { commandOf } from './task.js';

export interface DriverOptions {
  ledger: Ledger;
  clock: Clock;
  tasks: TasksConfig;
  /** What programs inherit, less the product's own secrets. */
  env: NodeJS.ProcessEnv;
  builtins: Readonly<Record<string, Builtin>>;
  /** Something that may pass (a busy database, a full disk), and is tried again. */
  onError?: (jobId: string | null, error: LukhasError) => void;
  /** Between SIGTERM and SIGKILL, ms; 5000. */
  graceMs?: number;
}

/** A lease outlives two missed renewals; a holder that is certainly dead is noticed at once. */
const LEASE_MS = 30_000;
const RENEW_MS = 10_000;
/** After an error of the database that may pass. */
const RETRY_MS = 1000;
const MAY_PASS: readonly string[] = ['LEDGER_BUSY', 'LEDGER_FULL'];
/** On a busy database, before a stopped runner gives up; on a full disk, before one that is not patient: a stopped one at once. */
const LAST_TRIES = 5;
const GRACE_MS = 5000;

const LUKHAS: Actor = { who: 'lukhas', how: 'lukhas' };

/** Takes one job from its claim to its end. */
export class JobDriver {
  private readonly control = new AbortController();
  private endedByOther = false;
  private stopped = false;
  private fault: Error | null = null;
  /** Who holds the lease while the end of a job is recorded that another runner has left. */
  private readonly recovery: string;
  /** Until when the lease is certainly its own, by the monotonic clock. */
  private heldUntil = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly options: DriverOptions,
    private readonly holder: string,
    private job: Job,
    /** Whether it waits for room on a full disk as long as it takes, as the daemon does; a command that somebody waits for gives up. */
    private readonly isPatient: boolean,
  ) {
    this.recovery = actingFor(holder, 'recovery');
  }

  /** Whether a lease of the job is this runner's. */
  isOwn(holder: string): boolean {
    return holder === this.holder || holder === this.recovery;
  }

  /** Somebody has recorded the end: what runs is stopped, and nothing is recorded any more. */
  ended(): void {
    this.endedByOther = true;
    this.control.abort();
  }

  /** The runner stops: so does the job, and that is recorded. */
  stop(): void {
    this.stopped = true;
    this.control.abort();
  }

  /** Whether the configuration of this process has the task, with the very command that was asked for. */
  isKnown(): boolean {
    return this.whyNotKnown() === null;
  }

  /**
   * Claims the job by its lease, which is on disk before anything is started.
   * @returns false when somebody else has it, or something has happened to it since it was read
   */
  async claim(): Promise<boolean> {
    const { ledger, clock } = this.options;
    const { id, lastSeq } = this.job;
    const now = clock.monotonic();
    if (!(await this.takeLease())) return false;
    this.heldUntil = now + LEASE_MS;
    let mine = false;
    try {
      mine = (await loadJob(ledger, id)).lastSeq === lastSeq;
    } finally {
      if (!mine) await ledger.releaseLease(id, this.holder);
    }
    return mine;
  }

  private async takeLease(): Promise<boolean> {
    const { ledger, clock } = this.options;
    try {
      return await ledger.acquireLease(this.job.id, this.holder, clock, LEASE_MS);
    } catch (error) {
      if (!(error instanceof LukhasError) || error.code !== 'LEDGER_FULL' || this.isPatient) throw error;
      throw staysQueued(this.job.id, error);
    }
  }

  /**
   * Runs the claimed job and records its end; the lease is given back when that is done.
   * @returns false when it is another's to record the end, or another has done so
   */
  async run(): Promise<boolean> {
    const { ledger } = this.options;
    const { id } = this.job;
    const done = new AbortController();
    const renewal = this.renewUntil(done.signal);
    let recorded = false;
    try {
      const outcome = await this.outcome();
      recorded = outcome !== null && (await this.record(outcome, this.holder));
    } finally {
      done.abort();
      await renewal;
    }
    if (this.fault !== null) throw this.fault;
    await ledger.releaseLease(id, this.holder);
    return recorded;
  }

  /**
   * Records that whoever drove the job is gone, after taking its lease and stopping what is left of its program.
   * @param lease as it was read: of the process that is gone, or of this runner, which could not record the end
   * @returns false when somebody else drives the job, or something has happened to it since it was read
   */
  async recordLost(lease: Lease | null): Promise<boolean> {
    const { ledger, clock } = this.options;
    const { id, state, lastSeq } = this.job;
    const own = lease?.holder === this.holder;
    const from = lease !== null && (own || isDead(lease.holder)) ? lease.holder : undefined;
    if (!(await ledger.acquireLease(id, this.recovery, clock, LEASE_MS, from))) return false;
    const isSame = (await loadJob(ledger, id)).lastSeq === lastSeq;
    if (isSame) {
      const found = await stopProcesses(this.job);
      const died = state === 'running' ? 'the process that ran it died' : 'the process that was starting it died';
      const rest = found ? '; its program was stopped' : '';
      const outcome = failed('lost', `${own ? 'its end could not be recorded' : died}${rest}`);
      await this.record(outcome, this.recovery);
    }
    // Only now: without it a job that was about to begin would look as if nobody had taken it.
    await ledger.releaseLease(id, this.recovery);
    return isSame;
  }

  /** Renews the lease until the signal aborts. A runner that has lost it stops its program, and records nothing. */
  private async renewUntil(done: AbortSignal): Promise<void> {
    const { clock } = this.options;
    for (let wait = RENEW_MS; ; ) {
      try {
        await clock.sleep(wait, done);
      } catch (error) {
        if (done.aborted) return;
        throw error;
      }
      try {
        if (!(await this.renew())) return this.ended();
        wait = RENEW_MS;
      } catch (error) {
        this.tell(error);
        wait = RETRY_MS;
      }
    }
  }

  private async renew(): Promise<boolean> {
    const { ledger, clock } = this.options;
    const now = clock.monotonic();
    const isHeld = await ledger.renewLease(this.job.id, this.holder, clock, LEASE_MS);
    if (isHeld) this.heldUntil = now + LEASE_MS;
    return isHeld;
  }

  /** Null: nothing is to be recorded, because another has ended it or it was never begun. */
  private async outcome(): Promise<Outcome | null> {
    const unknown = this.whyNotKnown();
    if (unknown !== null) return failed('start', unknown);
    // A process that was stopped since it took the lease may have been given up.
    if (this.options.clock.monotonic() >= this.heldUntil && !(await this.renew())) return null;
    let outcome: Outcome;
    try {
      outcome = await this.carryOut();
    } catch (error) {
      if (this.control.signal.aborted && error === this.control.signal.reason) return null;
      throw error;
    }
    if (this.endedByOther) return null;
    if (!this.stopped || outcome.kind === 'job.completed' || outcome.data.reason === 'start') return outcome;
    const { durationMs, exitCode, output } = outcome.data;
    const stop = failed('cancelled', 'stopped together with the process that ran it', {
      durationMs,
      exitCode,
      output,
    });
    return stop.kind === 'job.failed' ? { ...stop, data: { ...stop.data, by: LUKHAS } } : stop;
  }

  private carryOut(): Promise<Outcome> {
    const { job } = this;
    const { env, tasks, builtins, graceMs = GRACE_MS } = this.options;
    const run: TaskRun = {
      job,
      env,
      graceMs,
      signal: this.control.signal,
      onRunning: (pid) => this.recordRunning(pid),
    };
    const builtin = builtins[job.taskId];
    if (job.command === null && builtin) return runBuiltin(builtin, run);
    return runTask(tasks[job.taskId] as TaskConfig, job.command ?? [], run);
  }

  /** What is recorded was asked for by whoever could write to the log; what is run is what this process's own files say. */
  private whyNotKnown(): string | null {
    const { taskId, command, configId } = this.job;
    const { tasks, builtins } = this.options;
    if (command === null)
      return Object.hasOwn(builtins, taskId) ? null : `task ${taskId} is not built into this version`;
    const task = Object.hasOwn(tasks, taskId) ? tasks[taskId] : undefined;
    if (!task) return `the process that picked it up has no task ${taskId} in its configuration`;
    try {
      if (isDeepStrictEqual(commandOf(taskId, task, configId), command)) return null;
    } catch (error) {
      if (!(error instanceof LukhasError)) throw error;
    }
    return `the process that picked it up has a different command for task ${taskId} in its configuration`;
  }

  private async recordRunning(pid: number | null): Promise<void> {
    try {
      const processStartedAt = pid === null ? null : processMark(pid);
      this.job = await this.append({ kind: 'job.running', data: { pid, processStartedAt } }, this.holder);
    } catch (error) {
      if (isConflict(error)) return this.ended();
      // It must not run on without an entry that says so.
      this.control.abort();
      throw error;
    }
  }

  private async record(outcome: Outcome, holder: string): Promise<boolean> {
    try {
      this.job = await this.append(outcome, holder);
      return true;
    } catch (error) {
      // Somebody else has recorded an end, or will: that one counts.
      if (!isConflict(error)) throw error;
      return false;
    }
  }

  /** Tried again while the database is busy or the disk full: what has run cannot be run again to be recorded. */
  private async append(
    event: Outcome | { kind: 'job.running'; data: { pid: number | null; processStartedAt: string | null } },
    holder: string,
  ): Promise<Job> {
    const { ledger, clock } = this.options;
    for (let tries = 1, lastTries = LAST_TRIES; ; tries++) {
      try {
        const ts = timestamp(clock.now());
        const draft = { ...event, subject: this.job.id, ts } as EventDraft;
        return await appendToJob(ledger, this.job, draft, [{ lease: this.job.id, holder }]);
      } catch (error) {
        if (!(error instanceof LukhasError) || !MAY_PASS.includes(error.code)) throw error;
        const isFull = error.code === 'LEDGER_FULL';
        const isLast = isFull
          ? this.stopped || (!this.isPatient && tries >= LAST_TRIES)
          : this.stopped && --lastTries === 0;
        if (isLast) throw unrecorded(this.job.id, event.kind, error);
        // Who gives up soon says it once, with what becomes of the job.
        if (!isFull || this.isPatient) this.tell(error);
        await pause(clock, RETRY_MS, this.control.signal);
      }
    }
  }

  private readonly tell = (cause: unknown): void => {
    const error = systemError(cause);
    if (error instanceof LukhasError) this.options.onError?.(this.job.id, error);
    else {
      this.fault ??= error as Error;
      this.control.abort();
    }
  };
}

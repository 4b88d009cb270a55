import { LukhasError, systemError } from '../errors.js';
import type { LogFollower } from '../ledger/index.js';
import { newHolder } from '../ledger/index.js';
import { ENDED_KINDS, isFinal, JOB_KINDS } from '../readings/index.js';
import { Wake } from '../wake.js';
import { type DriverOptions, JobDriver } from './job-driver.js';
import { loadJob } from './log.js';
import { isDriven } from './orphan.js';

export interface JobRunnerOptions extends DriverOptions {
  follower: LogFollower;
  /** How many jobs this runner runs at a time. */
  concurrency: number;
  /** For how long a job of a task that it does not know is left to others, ms; 10,000. */
  patienceMs?: number;
}

/** A job of a task that this process does not know is left to others for so long. */
const PATIENCE_MS = 10_000;
/** How often a job that another process drives is asked after. */
const ASK_AGAIN_MS = 1000;

/**
 * Runs queued jobs, the oldest first, some at a time. It holds no truth: the queue is in the log, a job is claimed by its
 * lease, and what became of it is an entry that fits only once. Several runners may share a database.
 */
export class JobRunner {
  private readonly holder = newHolder();
  /** Jobs to look at, in the order in which they were queued. */
  private readonly waiting = new Set<string>();
  /** Jobs of tasks that this process does not know, and since when it knows of them, by its monotonic clock. */
  private readonly unknown = new Map<string, number>();
  /** Jobs that another process drives, and when to ask after it. */
  private readonly elsewhere = new Map<string, number>();
  private readonly running = new Map<string, { driver: JobDriver; end: Promise<void> }>();
  private readonly wake: Wake;
  /** Entries below it have been seen. */
  private seen = 0;
  private failure: Error | null = null;
  private tolerant = false;

  constructor(private readonly options: JobRunnerOptions) {
    this.wake = new Wake(options.clock);
  }

  /** Drives these jobs until each has ended, or the signal aborts: what it runs then is stopped and recorded as cancelled. */
  async drive(ids: readonly string[], signal?: AbortSignal): Promise<void> {
    this.seen = await this.options.ledger.size();
    for (const id of ids) this.waiting.add(id);
    await this.loop(signal, false);
  }

  /** Drives every job of the log, those that are queued later too, until the signal aborts. */
  async driveAll(signal: AbortSignal): Promise<void> {
    this.tolerant = true;
    await this.loop(signal, true);
  }

  private async loop(signal: AbortSignal | undefined, everything: boolean): Promise<void> {
    const stopListening = this.options.follower.onChange(() => this.wake.wake());
    try {
      while (!signal?.aborted && this.failure === null) {
        await this.attempt(null, () => this.follow(everything));
        await this.takeUp();
        if (!everything && this.waiting.size + this.elsewhere.size + this.running.size === 0) break;
        await this.wake.sleepUntil(Math.min(...this.elsewhere.values()), signal);
      }
    } finally {
      stopListening();
      for (const { driver } of this.running.values()) driver.stop();
      await Promise.allSettled([...this.running.values()].map(({ end }) => end));
    }
    if (this.failure !== null) throw this.failure;
  }

  /** Takes in what has been appended: new jobs, and the end of known ones by whoever recorded it. */
  private async follow(everything: boolean): Promise<void> {
    const { ledger } = this.options;
    const size = await ledger.size();
    if (size === this.seen) return;
    if (everything && this.seen === 0) {
      // Newest first in the listing; the queue is served in the order of the log.
      for (const subject of (await ledger.openSubjects('job', ENDED_KINDS)).reverse()) this.waiting.add(subject);
    } else {
      for (const { kind, subject } of await ledger.events({ from: this.seen, to: size, kinds: JOB_KINDS })) {
        if (kind === 'job.queued' && everything) this.waiting.add(subject);
        if (kind === 'job.completed' || kind === 'job.failed') this.ended(subject);
      }
    }
    this.seen = size;
  }

  private ended(id: string): void {
    this.waiting.delete(id);
    this.elsewhere.delete(id);
    this.unknown.delete(id);
    this.running.get(id)?.driver.ended();
  }

  private async takeUp(): Promise<void> {
    const now = this.options.clock.now();
    for (const [id, askAt] of this.elsewhere) if (askAt <= now) await this.attempt(id, () => this.look(id));
    for (const id of this.waiting) {
      if (this.running.size >= this.options.concurrency || this.failure !== null) return;
      await this.attempt(id, () => this.look(id));
    }
  }

  /** Decides what to do with one job: nothing, wait for its driver, record that its driver is gone, or run it. */
  private async look(id: string): Promise<void> {
    const { ledger, clock, patienceMs = PATIENCE_MS } = this.options;
    const job = await loadJob(ledger, id);
    if (isFinal(job.state)) return this.ended(id);
    const now = clock.now();
    const driver = new JobDriver(this.options, this.holder, job, this.tolerant);
    const lease = await ledger.leaseAt(id, clock);
    if (lease !== null && !driver.isOwn(lease.holder) && isDriven(lease)) return this.leaveTo(id, now);
    // The lease comes before anything is started: who holds it and is gone may have started it.
    if (lease !== null || job.state === 'running') {
      return (await driver.recordLost(lease)) ? this.ended(id) : this.leaveTo(id, now);
    }
    if (this.running.size >= this.options.concurrency) {
      this.elsewhere.delete(id);
      this.waiting.add(id);
      return;
    }
    if (!driver.isKnown() && this.knownFor(id) < patienceMs) return this.leaveTo(id, now);
    if (!(await driver.claim())) return this.leaveTo(id, now);
    this.waiting.delete(id);
    this.elsewhere.delete(id);
    this.running.set(id, { driver, end: this.run(id, driver) });
  }

  /** Not by the time of its request: that is another process's wall clock. */
  private knownFor(id: string): number {
    const now = this.options.clock.monotonic();
    const since = this.unknown.get(id) ?? now;
    this.unknown.set(id, since);
    return now - since;
  }

  private leaveTo(id: string, now: number): void {
    this.waiting.delete(id);
    this.elsewhere.set(id, now + ASK_AGAIN_MS);
  }

  private async run(id: string, driver: JobDriver): Promise<void> {
    try {
      await this.attempt(id, async () => {
        if (!(await driver.run())) this.leaveTo(id, this.options.clock.now());
      });
    } catch (error) {
      this.failure ??= error as Error;
    } finally {
      this.running.delete(id);
      this.wake.wake();
    }
  }

  /** What may pass is told and tried again at the next look; for whoever drives all jobs that is every known trouble. */
  private async attempt(id: string | null, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (cause) {
      const error = systemError(cause);
      if (!(error instanceof LukhasError) || !(this.tolerant || error.code === 'LEDGER_BUSY')) throw error;
      this.options.onError?.(id, error);
      if (id === null) this.options.follower.retry();
      else this.leaveTo(id, this.options.clock.now());
    }
  }
}

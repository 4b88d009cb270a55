import type { Database, Statement } from 'better-sqlite3';
import { LukhasError } from '../../errors.js';
import { ledgerError } from './errors.js';
import { type Connection, requireInPlace, whileBusy } from './open.js';

/** Work that changes the database: whole or not at all. */
export interface Work<T> {
  /** Before the transaction; what it throws rejects this work alone. Runs once. */
  prepare?: () => Promise<void> | void;
  /** Inside the transaction. May run again after it was undone, so it changes nothing but the database. */
  run: () => T;
}

/** Told of what concerns anything remembered from one unit of work to the next. */
export interface TransactionObserver {
  /** From now on nobody else writes; until now others may have. */
  begun(): void;
  /** What the last work wrote is gone. */
  undone(): void;
}

interface Job {
  work: Work<unknown>;
  /** Not part of a group: makes its own transactions, on another connection. */
  alone: boolean;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

type Outcome = { value: unknown } | { error: unknown };

/**
 * Runs work that arrives in the same turn of the event loop, or while another process keeps us waiting, in one
 * BEGIN IMMEDIATE transaction: the wait for the disk is shared. Order of arrival is kept.
 */
export class GroupCommit {
  readonly #connection: Connection;
  readonly #observer: TransactionObserver;
  readonly #sql: Record<'begin' | 'commit' | 'rollback' | 'savepoint' | 'undo' | 'release', Statement>;
  #queue: Job[] = [];
  #draining: Promise<void> | null = null;
  #closed = false;

  constructor(connection: Connection, observer: TransactionObserver) {
    this.#connection = connection;
    this.#observer = observer;
    const prepare = (sql: string) => connection.db.prepare(sql);
    this.#sql = {
      begin: prepare('BEGIN IMMEDIATE'),
      commit: prepare('COMMIT'),
      rollback: prepare('ROLLBACK'),
      savepoint: prepare('SAVEPOINT unit'),
      undo: prepare('ROLLBACK TO unit'),
      release: prepare('RELEASE unit'),
    };
  }

  /** Resolves when the work is on disk. */
  run<T>(work: Work<T>): Promise<T> {
    return this.#enqueue(work, false) as Promise<T>;
  }

  /** Runs `work` while nothing else is committed through this object. */
  runAlone<T>(work: () => Promise<T>): Promise<T> {
    return this.#enqueue({ run: work }, true) as Promise<T>;
  }

  /** Takes nothing more; resolves when everything taken is settled. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#draining;
  }

  #enqueue(work: Work<unknown>, alone: boolean): Promise<unknown> {
    if (this.#closed) return Promise.reject(new LukhasError('LEDGER_UNAVAILABLE', 'The ledger is closed'));
    return new Promise((resolve, reject) => {
      this.#queue.push({ work, alone, resolve, reject });
      this.#draining ??= this.#drain();
    });
  }

  async #drain(): Promise<void> {
    // Lets everything of this turn join.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) {
      if (this.#queue[0]?.alone) await this.#settleAlone(this.#queue.shift() as Job);
      else await this.#settleGroup(await prepared(this.#takeGroup()));
    }
    this.#draining = null;
  }

  #takeGroup(): Job[] {
    const end = this.#queue.findIndex((job) => job.alone);
    return this.#queue.splice(0, end < 0 ? this.#queue.length : end);
  }

  async #settleAlone(job: Job): Promise<void> {
    try {
      job.resolve(await job.work.run());
    } catch (error) {
      job.reject(error);
    }
  }

  async #settleGroup(jobs: readonly Job[]): Promise<void> {
    if (jobs.length === 0) return;
    let outcomes: readonly Outcome[];
    try {
      outcomes = (await this.#together(jobs)) ?? (await this.#eachInItsSavepoint(jobs));
    } catch (error) {
      for (const job of jobs) job.reject(error);
      return;
    }
    jobs.forEach((job, i) => {
      const outcome = outcomes[i] as Outcome;
      if ('error' in outcome) job.reject(outcome.error);
      else job.resolve(outcome.value);
    });
  }

  /** The usual case, without the cost of savepoints; null when some work of several failed and all was undone. */
  async #together(jobs: readonly Job[]): Promise<Outcome[] | null> {
    return this.#transaction(() => {
      const outcomes: Outcome[] = [];
      for (const { work } of jobs) {
        try {
          outcomes.push({ value: work.run() });
        } catch (error) {
          this.#rollback();
          return jobs.length > 1 ? null : [{ error: this.#meaning(error) }];
        }
      }
      return outcomes;
    });
  }

  async #eachInItsSavepoint(jobs: readonly Job[]): Promise<Outcome[]> {
    return this.#transaction(() => jobs.map(({ work }) => this.#inSavepoint(work)));
  }

  #inSavepoint(work: Work<unknown>): Outcome {
    this.#sql.savepoint.run();
    try {
      const value = work.run();
      this.#sql.release.run();
      return { value };
    } catch (error) {
      this.#observer.undone();
      // A full disk or a failing one may have undone the whole transaction.
      if (!this.#db.inTransaction) throw error;
      this.#sql.undo.run();
      this.#sql.release.run();
      return { error: this.#meaning(error) };
    }
  }

  async #transaction<T>(body: () => T): Promise<T> {
    const { busyTimeoutMs, path } = this.#connection;
    await whileBusy(busyTimeoutMs, path, () => {
      requireInPlace(this.#connection);
      this.#sql.begin.run();
    });
    try {
      this.#observer.begun();
      const result = body();
      if (this.#db.inTransaction) this.#sql.commit.run();
      return result;
    } catch (error) {
      this.#rollback();
      throw this.#meaning(error);
    }
  }

  #rollback(): void {
    this.#observer.undone();
    if (this.#db.inTransaction) this.#sql.rollback.run();
  }

  #meaning(error: unknown): unknown {
    return ledgerError(error, this.#connection.path);
  }

  get #db(): Database {
    return this.#connection.db;
  }
}

async function prepared(jobs: readonly Job[]): Promise<Job[]> {
  const ready: Job[] = [];
  for (const job of jobs) {
    try {
      const waiting = job.work.prepare?.();
      if (waiting !== undefined) await waiting;
      ready.push(job);
    } catch (error) {
      job.reject(error);
    }
  }
  return ready;
}

import { availableParallelism } from 'node:os';
import type { Outcome } from './result.js';
import { type CellPolicies, judgeTasks, type SweepTask } from './sweep-cells.js';
import { SweepThread } from './sweep-thread.js';

/** With fewer observations than this to judge, a thread costs more than it saves. */
const WORTH_A_THREAD = 100_000;
const MOST_THREADS = 8;

/** How many threads are worth starting; 0: judge here. @param checks observations times policies */
export function threadsFor(checks: number): number {
  const worth = Math.min(availableParallelism(), MOST_THREADS, Math.floor(checks / WORTH_A_THREAD));
  return worth < 2 ? 0 : worth;
}

/** Judges batches, here or in threads; the answer does not depend on where. Close it when done. */
export class SweepPool {
  readonly #cells: CellPolicies;
  readonly #threads: SweepThread[];
  readonly #idle: SweepThread[];
  readonly #waiting: ((thread: SweepThread) => void)[] = [];

  /** @param threads 0: everything is judged in this thread */
  constructor(cells: CellPolicies, threads: number) {
    this.#cells = cells;
    this.#threads = Array.from({ length: threads }, () => new SweepThread(cells));
    this.#idle = [...this.#threads];
  }

  /** Resolves when a thread is free to take a batch, with the promise of its outcomes. */
  async submit(tasks: readonly SweepTask[]): Promise<{ outcomes: Promise<Outcome[][]> }> {
    if (this.#threads.length === 0) return { outcomes: Promise.resolve(judgeTasks(this.#cells, tasks)) };
    const thread = this.#idle.pop() ?? (await new Promise<SweepThread>((resolve) => this.#waiting.push(resolve)));
    const outcomes = this.#judge(thread, tasks);
    // The caller gets the error when it awaits the outcomes; it may be thrown before that.
    outcomes.catch(() => undefined);
    return { outcomes };
  }

  async #judge(thread: SweepThread, tasks: readonly SweepTask[]): Promise<Outcome[][]> {
    try {
      return await thread.judge(tasks);
    } finally {
      const next = this.#waiting.shift();
      if (next) next(thread);
      else this.#idle.push(thread);
    }
  }

  /** Threads that judge; 0: this one does. */
  get threads(): number {
    return this.#threads.length;
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}

import type { Worker } from 'node:worker_threads';
import { startThread } from '../threads/index.js';
import type { Outcome } from './result.js';
import type { CellPolicies, SweepTask } from './sweep-cells.js';

/** One thread that judges batches, one at a time. */
export class SweepThread {
  readonly #worker: Worker;
  #failure: Error | null = null;
  #settle: { resolve(outcomes: Outcome[][]): void; reject(error: Error): void } | null = null;

  constructor(cells: CellPolicies) {
    this.#worker = startThread('sweep-worker', import.meta.url, { workerData: cells });
    this.#worker.on('message', (outcomes: Outcome[][]) => this.#settle?.resolve(outcomes));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', (code) => this.#fail(new Error(`a thread of the sweep ended with code ${code}`)));
  }

  /** Fails the pending batch of a dead thread, and every later one. */
  #fail(error: Error): void {
    this.#failure ??= error;
    this.#settle?.reject(this.#failure);
  }

  async judge(tasks: readonly SweepTask[]): Promise<Outcome[][]> {
    if (this.#failure !== null) throw this.#failure;
    try {
      return await new Promise((resolve, reject) => {
        this.#settle = { resolve, reject };
        this.#worker.postMessage(tasks);
      });
    } finally {
      this.#settle = null;
    }
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}

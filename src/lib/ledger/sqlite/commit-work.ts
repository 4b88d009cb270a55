import type { EventDraft, StoredEvent } from '../events.js';
import type { Unit } from '../ledger.js';
import { type Appender, type PreparedUnit, prepareUnit } from './append.js';
import type { Work } from './group-commit.js';

type CheckEvent = (draft: EventDraft) => void;

/** One unit of a caller's: checked before it waits for others, applied in the transaction that they share. */
export class CommitWork implements Work<StoredEvent[]> {
  /** Loaded with the first commit of all: zod doubles the start-up time, and most commands only read. */
  static #checkEvent: CheckEvent | null = null;
  #prepared: PreparedUnit | null = null;

  constructor(
    readonly unit: Unit,
    readonly appender: Appender,
  ) {}

  prepare(): Promise<void> | void {
    if (CommitWork.#checkEvent === null) return this.#loadThenPrepare();
    this.#prepared = prepareUnit(this.unit, CommitWork.#checkEvent);
  }

  run(): StoredEvent[] {
    return this.appender.apply(this.#prepared as PreparedUnit);
  }

  async #loadThenPrepare(): Promise<void> {
    CommitWork.#checkEvent = (await import('../event-schemas.js')).checkEvent;
    await this.prepare();
  }
}

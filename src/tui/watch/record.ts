import type { Clock } from '../../lib/clock.js';
import {
  type CanaryFold,
  type CanaryRecord,
  type CanaryView,
  type Course,
  canaryView,
  foldOf,
} from '../../lib/view/index.js';

import { inWords } from './in-words.js';

/** One canary as it is drawn. */
export interface Drawn {
  record: CanaryRecord;
  view: CanaryView;
  course: Course | null;
}

/** Least time between two readings of a canary, and how many times as long as one of them took. */
const LEAST_MS = 200;
const SHARE = 8;

/** Keeps one canary's record as new as what was told of it; reads no more often than its cost allows, and judges each check once. */
export class Records {
  #drawn: Drawn | null = null;
  #fold: CanaryFold | null = null;
  #problem: string | null = null;
  #id: string | null = null;
  #wanted = false;
  #reading = false;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(
    private readonly read: (id: string) => Promise<CanaryRecord>,
    private readonly clock: Clock,
    private readonly changed: () => void,
  ) {}

  /** Null: not read yet. */
  get drawn(): Drawn | null {
    return this.#drawn;
  }

  /** Why it could not be read; null: it could. */
  get problem(): string | null {
    return this.#problem;
  }

  /** What is to be shown from now on; null: none. */
  show(id: string | null): void {
    if (id === this.#id) return;
    this.#id = id;
    this.#drawn = null;
    this.#fold = null;
    this.#problem = null;
    if (id !== null) this.refresh();
  }

  /** Something was told of it. */
  refresh(): void {
    this.#wanted = true;
    if (!this.#reading && this.#timer === null) void this.#next();
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  async #next(): Promise<void> {
    const id = this.#id;
    if (id === null || this.#closed) return;
    this.#wanted = false;
    this.#reading = true;
    const before = this.clock.monotonic();
    try {
      const record = await this.read(id);
      // Another one is wanted by now.
      const fold = this.#id === id ? foldFrom(record, this.#fold) : null;
      const drawn = this.#id === id ? drawnFrom(record, fold) : null;
      if (drawn !== null) {
        this.#fold = fold;
        this.#drawn = drawn;
        this.#problem = null;
      }
    } catch (error) {
      if (this.#id === id) this.#problem = inWords(error);
    } finally {
      this.#reading = false;
    }
    if (this.#closed) return;
    this.changed();
    if (this.#id !== id) {
      void this.#next();
      return;
    }
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        if (this.#wanted) void this.#next();
      },
      Math.max(LEAST_MS, (this.clock.monotonic() - before) * SHARE),
    );
  }
}

/** @param before what judged the checks of an earlier record of this canary; null: nothing has */
function foldFrom(record: CanaryRecord, before: CanaryFold | null): CanaryFold | null {
  const begun = foldOf(record);
  const goesOn = before !== null && begun?.startedAt === before.startedAt && before.size <= record.observations.length;
  const fold = goesOn ? before : begun;
  for (const observation of record.observations.slice(fold?.size ?? 0)) fold?.take(observation);
  return fold;
}

function drawnFrom(record: CanaryRecord, fold: CanaryFold | null): Drawn | null {
  const verdict = fold?.verdict();
  const view = canaryView(record, verdict);
  return view === null ? null : { record, view, course: fold === null ? null : fold.course(verdict) };
}

import type { EntryRow } from './entries.js';
import type { Findings } from './findings.js';

/** Clocks of well-kept machines differ by less. */
const TOLERANCE_MS = 5 * 60_000;

/** Entries dated in the future. Not a problem, because the wrong clock may be this machine's. */
export class FutureEntries {
  readonly #latest: number;
  #first: EntryRow | null = null;
  #count = 0;

  /** @param now ms since the epoch */
  constructor(now: number) {
    this.#latest = now + TOLERANCE_MS;
  }

  take(row: EntryRow): void {
    if (!(Date.parse(String(row.ts)) > this.#latest)) return;
    this.#first ??= row;
    this.#count++;
  }

  report(findings: Findings): void {
    if (this.#first === null) return;
    const { seq, ts } = this.#first;
    const others = this.#count > 1 ? ` (and ${this.#count - 1} more entries)` : '';
    findings.unchecked(
      `times: entry ${seq} is dated ${String(ts)}, ahead of this machine's clock${others}; one of the clocks is wrong`,
    );
  }
}

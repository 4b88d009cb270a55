import type { EntryRow } from './entries.js';
import type { Findings } from './findings.js';

/** Clocks of honest machines differ by less. */
const TOLERANCE_MS = 5 * 60_000;

/** Entries that say that they were recorded after now. The clock that is wrong may be this one: it is no problem. */
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

  tell(findings: Findings): void {
    if (this.#first === null) return;
    const { seq, ts } = this.#first;
    const others = this.#count > 1 ? `, and those of ${this.#count - 1} more` : '';
    findings.unchecked(
      `times: entry ${seq} is dated ${String(ts)}${others}, later than the clock of this machine; one of them is wrong`,
    );
  }
}

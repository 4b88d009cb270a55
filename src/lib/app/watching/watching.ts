import type { CanaryRecord, Overview, Told } from '../../view/index.js';

/** How what is shown stands to what happens. Times are ms of a monotonic clock. */
export interface Connection {
  state: 'connecting' | 'live' | 'stale' | 'refused';
  /** When something was last heard; null: never. */
  heardAt: number | null;
  /** Why it is not live, in words; null: it is. */
  problem: string | null;
}

/** What a person does to a canary while watching it; each names its reason, which is recorded. */
export type Deed = 'abort' | 'promote' | 'approve' | 'reject';

/**
 * What a live view is drawn from, and acts through: the log of this machine, or a daemon. Both fold the same events, so
 * that whoever draws them need not know which it is.
 */
export interface Watching {
  /** Of what: a path, or an address without credentials. */
  readonly place: string;
  /** Lists as of the newest event heard; the same object throughout, its rows replaced. */
  readonly overview: Overview;
  readonly connection: Connection;
  /**
   * Follows until the signal. Breaks of a connection are survived and told by `connection`; nothing is missed or doubled.
   * @param changed called with what came in, in order, and with nothing when `connection` changed or lists were read afresh
   * @throws {LukhasError} what no waiting changes: no database, a key that is refused
   */
  follow(changed: (events: readonly Told[]) => void, signal: AbortSignal): Promise<void>;
  /** All that is recorded of a canary as of now; observations that were read before are not read again. */
  canary(id: string): Promise<CanaryRecord>;
  /** @returns one line: what was done */
  act(deed: Deed, id: string, reason: string): Promise<string>;
  /** Writes the canary's evidence pack into a folder. @returns its path */
  exportPack(id: string, folder: string): Promise<string>;
  close(): Promise<void>;
}

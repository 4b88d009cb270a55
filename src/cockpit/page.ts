/** A page that stays up to date while it is shown. */
export interface Page {
  readonly element: HTMLElement;
  /**
   * @param ids what was heard of: canaries, jobs, gates; empty: the connection is there again, or was lost
   * @param logged whether the log may have new entries
   */
  heard(ids: ReadonlySet<string>, logged: boolean): void;
  /** Once a second: what changes with time alone. */
  tick?(): void;
  /** It is not shown any more. */
  leave?(): void;
}

/** How the file is filled. */
export interface DatabaseSpace {
  pageBytes: number;
  pages: number;
  /** Pages that hold nothing: they are filled again before the file grows. */
  freePages: number;
  /** Whether free pages can be given back to the file system a few at a time (`auto_vacuum = incremental`). */
  canShrink: boolean;
}

/** What keeps the file small and fast. Each call is one short transaction, or none, so that writers never wait for long. */
export interface LedgerUpkeep {
  /** Canaries that have observations, in order of their ids, after one of them (null: from the first). */
  observedCanaries(after: string | null, limit: number): Promise<string[]>;
  /**
   * Deletes what the feed has of observations that are no longer recorded, among some thousand rows of it after a row.
   * @returns how many, and the row to go on after; null: there are no more
   */
  tidyFeed(after: number): Promise<{ deleted: number; next: number | null }>;
  /** Joins parts of the index of words. @returns whether there was something to join */
  mergeWords(): Promise<boolean>;
  /**
   * Writes what is in the write-ahead log into the database, and empties it where nobody reads or writes meanwhile.
   * @returns its size in pages, and whether all of them were written
   */
  checkpoint(): Promise<{ pages: number; complete: boolean }>;
  space(): Promise<DatabaseSpace>;
  /** Gives some free pages back to the file system; none where the file cannot shrink. */
  shrink(): Promise<void>;
  /** Rows of each table, and the bytes of its pages with those of its indexes. Reads the whole file. */
  tables(): Promise<{ name: string; rows: number; bytes: number }[]>;
}

/** What can be found by words: a canary, a decision, a page. Plain text. */
export interface Document {
  /** With its kind, e.g. `canary:c-m8k2x0`. */
  id: string;
  title: string;
  body: string;
}

export interface FoundDocument {
  id: string;
  title: string;
  /** The part of the body that fits best, one line. */
  snippet: string;
}

/** How far the index has come. */
export interface DocumentState {
  /** All events below this seq are indexed. */
  seq: number;
  /** From what else the documents were made; empty at first. */
  made: string;
}

/** A step of the index: it goes from one state to the next, whole or not at all. */
interface DocumentBatch {
  from: DocumentState;
  to: DocumentState;
  /** Takes the place of those with the same ids. */
  documents: readonly Document[];
  /** Drops all documents whose ids begin so, first. */
  without?: string;
}

/**
 * Full-text index over documents: a droppable projection of the log and the product's pages. A ledger that is open for
 * reading only keeps one in memory, for as long as it is open.
 */
export interface DocumentIndex {
  state(): Promise<DocumentState>;
  /** @returns false, and nothing changed, when somebody else has taken the index from `from` meanwhile */
  write(batch: DocumentBatch): Promise<boolean>;
  get(id: string): Promise<Document | null>;
  /** Documents whose ids begin so, the greatest id first: with time in them, the newest. */
  beginning(prefix: string, limit: number): Promise<Document[]>;
  /**
   * Best first: by BM25 with the title weighted, and of what fits about as well the newest. Of many hundreds that fit
   * only the newest are ranked, and the product's pages.
   * @param expression FTS5 query syntax (sqlite.org/fts5.html, 3)
   */
  match(expression: string, limit: number): Promise<FoundDocument[]>;
  /**
   * Whether there are as many documents, and as many with their words indexed, as were written; and, at the log's end, one for each
   * canary, promotion and job in the log. Of other kinds the log has no number that is cheap to read.
   */
  isComplete(): Promise<boolean>;
  /** Drops everything. */
  clear(): Promise<void>;
}

export type { DocumentBatch };

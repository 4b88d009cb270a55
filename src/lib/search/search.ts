import { LukhasError } from '../errors.js';
import type { Ledger } from '../ledger/index.js';
import { inThread } from '../threads/index.js';
import type { FetchedDocument, Sources } from './fetch.js';

/** With fewer entries to index, a thread costs more than it saves: each of their commits waits for the disk. */
const WORTH_A_THREAD = 2000;
const HEAP_MIB = 512;

/** One result of a search. */
export interface SearchHit {
  /** What `fetch` takes: `canary:…`, `event:…`, `job:…`, `model:…`, `policy:…`, `gate:…`, `promotion:…`, `doc:…`. */
  id: string;
  title: string;
  /** Absolute, or empty. */
  url: string;
  /** Plain text, one line. */
  snippet: string;
}

export interface SearchResults {
  hits: SearchHit[];
  /** Why something may be missing among the hits, and what to do; null: nothing is. */
  warning: string | null;
}

const REBUILD = 'run lukhas db rebuild.';

/**
 * Finds what the log and the product's pages hold, by words, names and ids. The index is a projection of the log that
 * is brought up to date before each answer; everything is loaded with the first question.
 */
export class Search {
  readonly #ledger: Ledger;
  readonly #narrate: Sources['narrate'];
  readonly #path: string | null;
  #loaded: ReturnType<typeof load> | null = null;
  #turn: Promise<unknown> = Promise.resolve();

  /**
   * @param narrate the narrative of a canary or a model, as plain text
   * @param path of the database, where its index may be written: much is then indexed in a thread on a connection of its own
   */
  constructor(ledger: Ledger, narrate: Sources['narrate'], path: string | null = null) {
    this.#ledger = ledger;
    this.#narrate = narrate;
    this.#path = path;
  }

  /**
   * Indexes what was logged since the last time; cheap when that is nothing.
   * @throws the signal's reason; LukhasError LEDGER_*
   */
  catchUp(signal?: AbortSignal): Promise<void> {
    // One after the other: two at once would make the same documents twice.
    return this.#inTurn(async () => {
      const { catchUp, pages } = await this.#load();
      const behind = (await this.#ledger.size()) - (await this.#ledger.documents.state()).seq;
      if (this.#path !== null && behind > WORTH_A_THREAD)
        await inThread({ name: 'index-worker', beside: import.meta.url, data: this.#path, signal, heapMiB: HEAP_MIB });
      await catchUp(this.#ledger, pages, signal);
    });
  }

  /** Best first. @throws LukhasError USAGE for a limit below 1 */
  async search(asked: { query: string; limit: number }): Promise<SearchHit[]> {
    return (await this.results(asked)).hits;
  }

  /** Best first, and what the index may lack. @throws LukhasError USAGE for a limit below 1 */
  async results({ query, limit }: { query: string; limit: number }): Promise<SearchResults> {
    if (!Number.isInteger(limit) || limit < 1)
      throw new LukhasError('USAGE', `limit ${limit}: must be a whole number of at least 1`);
    await this.catchUp();
    const { find } = await this.#load();
    const found = await find(this.#ledger, query, limit);
    const hits = found.map(({ id, title, snippet }) => ({ id, title, url: '', snippet }));
    return { hits, warning: await this.#warning() };
  }

  /** @throws LukhasError NOT_FOUND, AMBIGUOUS_ID */
  async fetch(id: string): Promise<FetchedDocument> {
    // Which policies and models there are only the index knows.
    if (/^(policy|model):/.test(id)) await this.catchUp();
    const { fetchDocument, pages } = await this.#load();
    return fetchDocument({ ledger: this.#ledger, pages, narrate: this.#narrate }, id);
  }

  /** Drops the index and makes it anew from the log. */
  async rebuild(): Promise<void> {
    await this.#inTurn(() => this.#ledger.documents.clear());
    await this.catchUp();
  }

  async #warning(): Promise<string | null> {
    const { documents } = this.#ledger;
    const rest = (await this.#ledger.size()) - (await documents.state()).seq;
    if (rest < 0) return `The search index does not match the log: ${REBUILD}`;
    if (!(await documents.isComplete())) return `The search index lacks documents, or has too many: ${REBUILD}`;
    // Others may have appended since the index was brought to the end.
    return null;
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  #load(): ReturnType<typeof load> {
    this.#loaded ??= load().catch((error: unknown) => {
      // What could not be read now may be read the next time.
      this.#loaded = null;
      throw error;
    });
    return this.#loaded;
  }
}

async function load() {
  const [{ catchUp }, { find }, { fetchDocument }, { readPages }] = await Promise.all([
    import('./indexer.js'),
    import('./find.js'),
    import('./fetch.js'),
    import('./pages.js'),
  ]);
  return { catchUp, find, fetchDocument, pages: await readPages() };
}

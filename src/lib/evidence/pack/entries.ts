import type { LedgerPages, LinePage } from '../../ledger/index.js';
import type { CompactRange } from '../leaves/index.js';
import { appendPage } from '../leaves/index.js';
import { CSV_BOM, CSV_HEADER, CsvLines } from './csv.js';
import type { PackPlan } from './plan.js';

/** Called after each page with the progress of the pass over the entries. */
export type OnEntries = (file: string, done: number, total: number) => void;

const JSON_ENDING = ',\n';

/** audits.ndjson, audits.json and audits.csv: the same entries in three formats, each with its own pass over the log. */
export class PackEntries {
  constructor(
    private readonly pages: LedgerPages,
    private readonly plan: PackPlan,
    private readonly onEntries: OnEntries = () => undefined,
  ) {}

  async *ndjson(): AsyncGenerator<Buffer> {
    for await (const page of this.#pages('audits.ndjson', '\n')) yield page.bytes;
  }

  /**
   * One event a line between brackets. Hashes everything on the way, so that a tampered log is not exported.
   * @param before compact range of the entries before the window; the window's entries are appended to it
   */
  async *json(before: CompactRange): AsyncGenerator<Buffer> {
    yield Buffer.from('[\n');
    // One page behind, because the last line of the last page has no comma.
    let last: Buffer | null = null;
    for await (const page of this.#pages('audits.json', JSON_ENDING)) {
      appendPage(before, page, JSON_ENDING);
      if (page.bytes.length === 0) continue;
      if (last !== null) yield last;
      last = page.bytes;
    }
    if (last !== null) yield last.subarray(0, -JSON_ENDING.length);
    yield Buffer.from(last === null ? ']\n' : '\n]\n');
  }

  async *csv(): AsyncGenerator<Buffer> {
    yield Buffer.from(this.plan.csvBom ? `${CSV_BOM}${CSV_HEADER}` : CSV_HEADER);
    const csv = new CsvLines();
    for await (const { bytes } of this.#pages('audits.csv', JSON_ENDING)) if (bytes.length > 0) yield csv.of(bytes);
  }

  /** Leaf hashes of the omitted entries, as members of a JSON array. */
  async *omittedJson(): AsyncGenerator<Buffer> {
    let between = '';
    for await (const page of this.#pages('completeness.json', '\n')) {
      const items = page.omitted.map(({ seq, hash: h }) => `{"hash":"${h.toString('base64')}","seq":${seq}}`);
      if (items.length === 0) continue;
      yield Buffer.from(`${between}${items.join(',')}`);
      between = ',';
    }
  }

  async *#pages(file: string, ending: '\n' | ',\n'): AsyncGenerator<LinePage> {
    const { range, selection } = this.plan;
    for await (const page of this.pages.lines(range, ending, selection)) {
      if (page.bytes.length > 0 || page.omitted.length > 0) yield page;
      this.onEntries(file, page.to - range.from, range.to - range.from);
    }
  }
}

import { refused } from '../formats/index.js';
import { leafHash } from '../tree/index.js';
import type { Completeness } from './completeness.js';
import { type CsvForm, csvHeader, csvRow } from './csv.js';
import { type Entry, readEntry } from './entry.js';
import type { HashedFiles } from './files.js';
import { ExpectedFile, lineBatches } from './lines.js';
import type { EvidenceFindings } from './report.js';
import type { PackTree } from './tree.js';

/** Members of a canonical event come in order: data first, then kind. */
const DATA_START = '{"data":'.length;
const DATA_END = ',"kind":"';

/** Called with each entry; a returned promise is awaited before the next one. */
type Take = (entry: Entry) => Promise<void> | undefined;

/**
 * One pass over audits.ndjson: form and number of each entry, its leaf in the tree, and that audits.json and audits.csv
 * say the same. Holds a few pages of each file, whatever their length.
 */
export class EntryPass {
  events = 0;
  omitted = 0;
  /** Sequence number of the next entry. */
  next: number;
  readonly #files: HashedFiles;
  readonly #findings: EvidenceFindings;
  readonly #json: Copy;
  readonly #csv: Copy;

  constructor(
    files: HashedFiles,
    findings: EvidenceFindings,
    private readonly tree: PackTree,
    private readonly completeness: Completeness,
    private readonly csvForm: CsvForm,
  ) {
    this.#files = files;
    this.#findings = findings;
    this.next = completeness.from;
    this.#json = new Copy('audits.json', files, findings);
    this.#csv = new Copy('audits.csv', files, findings);
  }

  /**
   * @param take is called with each readable entry, in order
   * @throws LukhasError VERIFICATION when an entry is malformed or out of sequence: the rest cannot be checked
   */
  async run(take: Take): Promise<void> {
    await this.#json.expect(['[\n'], this.next);
    await this.#csv.expect([csvHeader(this.csvForm)], this.next);
    for await (const lines of lineBatches('audits.ndjson', this.#files.read('audits.ndjson'))) {
      await this.#batch(lines, take);
    }
    await this.#skipOmitted();
    await this.#json.expect([this.events === 0 ? ']\n' : '\n]\n'], this.next);
    await this.#json.end();
    await this.#csv.end();
  }

  async #batch(lines: readonly Buffer[], take: Take): Promise<void> {
    const [json, csv]: [(string | Buffer)[], string[]] = [[], []];
    const first = this.next;
    for (const line of lines) {
      // Tested first: awaiting an empty promise for every entry is slow.
      if (this.completeness.next?.seq === this.next) await this.#skipOmitted();
      const entry = readEntry(line);
      if (typeof entry === 'string') throw refused(`audits.ndjson: entry ${this.next} ${entry}`);
      if (entry.seq !== this.next) throw refused(`audits.ndjson: found entry ${entry.seq}, expected ${this.next}`);
      this.tree.append(leafHash(line));
      this.next++;
      json.push(Buffer.concat([Buffer.from(this.events === 0 ? '' : ',\n'), line]));
      const text = line.toString();
      csv.push(csvRow(entry, text.slice(DATA_START, text.lastIndexOf(DATA_END)), this.csvForm));
      this.events++;
      const taken = take(entry);
      if (taken !== undefined) await taken;
    }
    await this.#json.expect(json, first);
    await this.#csv.expect(csv, first);
    if (this.#findings.problemCount > MANY) throw refused('audits.ndjson: too many problems, stopped reading');
  }

  async #skipOmitted(): Promise<void> {
    for (let left = this.completeness.next; left?.seq === this.next; left = this.completeness.next) {
      this.tree.append(left.hash);
      this.omitted++;
      this.next++;
      await this.completeness.advance();
    }
  }
}

const MANY = 1000;

/** A copy of the entries in another format, compared up to the first difference. */
class Copy {
  #file: ExpectedFile | null;

  constructor(
    private readonly name: string,
    files: HashedFiles,
    private readonly findings: EvidenceFindings,
  ) {
    this.#file = new ExpectedFile(files.read(name));
  }

  /** @param pieces one for each entry from `first` on, or what stands around them */
  async expect(pieces: readonly (string | Buffer)[], first: number): Promise<void> {
    if (this.#file === null) return;
    const bytes = pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece));
    const differs = await this.#file.differsAt(Buffer.concat(bytes));
    if (differs === null) return;
    let index = 0;
    for (let end = bytes[0]?.length ?? 0; end <= differs && index < bytes.length - 1; index++) {
      end += bytes[index + 1]?.length ?? 0;
    }
    this.#differs(`differs from audits.ndjson from entry ${first + index} on`);
  }

  async end(): Promise<void> {
    if (this.#file !== null && !(await this.#file.atEnd())) this.#differs('has more than audits.ndjson');
  }

  #differs(what: string): void {
    this.findings.problem(`${this.name}: ${what}`);
    this.#file = null;
  }
}

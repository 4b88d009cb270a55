import { LukhasError } from '../../errors.js';
import type { CheckpointFiles } from '../checkpoints/index.js';
import type { VerifierKey } from '../formats/index.js';
import { type Checkpoint, type NoteVerifier, parseCheckpoint, parseNote, refused } from '../formats/index.js';
import { checkpointVerifiers } from '../keys/index.js';
import { EvidenceFindings, type EvidenceReport } from './report.js';

/** A kept checkpoint, and whether the given key signed it. */
interface Kept {
  checkpoint: Checkpoint;
  signed: boolean;
}

/**
 * Compares the checkpoints kept beside a database with the log recomputed from it. That finds mistakes and old copies, not
 * attackers: whoever can write to the database can usually write to these files, too.
 */
export class KeptCheck {
  /** Sizes of all kept checkpoints, also of refused ones: the roots to collect with `take`. */
  readonly sizes: ReadonlySet<number>;
  /** Names of the log in the kept checkpoints; complete after `report`. */
  readonly origins = new Set<string>();
  readonly #roots = new Map<number, Buffer>();
  readonly #found = new EvidenceFindings();

  private constructor(
    private readonly files: CheckpointFiles,
    private readonly kept: readonly number[],
    private readonly refused: readonly number[],
  ) {
    this.sizes = new Set([...kept, ...refused]);
  }

  /** Call before the log is read: what is signed meanwhile may not be in what was read. */
  static async open(files: CheckpointFiles): Promise<KeptCheck> {
    try {
      return new KeptCheck(files, await files.sizes(), await files.refusedSizes());
    } catch (error) {
      const none = new KeptCheck(files, [], []);
      none.#cannotRead(error);
      return none;
    }
  }

  /** @param root over the first `size` entries of the log */
  take(size: number, root: Buffer): void {
    this.#roots.set(size, root);
  }

  /**
   * Call after the log was read.
   * @param size entries of the log
   * @param key of the log on this machine; null: there is none
   */
  async report(size: number, key: VerifierKey | null): Promise<EvidenceReport> {
    const [verifier = null] = key === null ? [] : checkpointVerifiers(key.name, [key]);
    const before = this.#found.problemCount;
    let unsigned = 0;
    const compared: number[] = [];
    for (const each of this.kept) {
      const kept = await this.#found.attempt(() => this.#read(each, verifier));
      if (kept === null) continue;
      compared.push(each);
      this.origins.add(kept.checkpoint.origin);
      if (!kept.signed) unsigned++;
      this.#compare(kept.checkpoint, size);
    }
    if (compared.length > 0 && this.#found.problemCount === before) {
      this.#found.holds(
        `the log contains all checkpoints in ${this.files.folder} (${compared.length}, newest: ${compared.at(-1)} entries): it is not an older copy. This does not protect against someone who can change these files, too`,
      );
    }
    this.#reportUnsigned(unsigned, verifier);
    for (const each of this.refused) await this.#refused(each);
    return this.#found.report();
  }

  #compare({ size, root }: Checkpoint, entries: number): void {
    const then = this.#roots.get(size);
    const where = this.files.pathOf(size);
    if (then === undefined) {
      this.#found.problem(`${where}: covers ${size} entries, the log has only ${entries}: entries are missing`);
    } else if (!then.equals(root)) {
      this.#found.problem(`${where}: the first ${size} entries of the log differ from those that were signed`);
    }
  }

  /** @returns null when there is nothing to compare */
  async #read(size: number, key: NoteVerifier | null): Promise<Kept | null> {
    const where = this.files.pathOf(size);
    const note = await this.#note(size, 'kept');
    if (note === null) return null;
    try {
      const { text, signatures } = parseNote(note);
      const checkpoint = parseCheckpoint(text);
      if (checkpoint.size !== size) throw refused(`is a checkpoint of ${checkpoint.size} entries, not of ${size}`);
      const own = signatures.filter(({ name, keyId }) => name === key?.name && keyId === key.keyId);
      if (own.some(({ signature }) => key?.verify(text, signature) === false)) {
        throw refused("the log key's signature does not verify");
      }
      return { checkpoint, signed: own.length > 0 };
    } catch (cause) {
      if (!(cause instanceof LukhasError) || cause.code !== 'VERIFICATION') throw cause;
      throw refused(`${where}: ${cause.message}`, cause);
    }
  }

  /** Null when the file was moved meanwhile, or cannot be read. */
  async #note(size: number, standing: 'kept' | 'refused'): Promise<string | null> {
    try {
      return await this.files.read(size, standing);
    } catch (error) {
      this.#cannotRead(error);
      return null;
    }
  }

  #cannotRead(error: unknown): void {
    if (!(error instanceof LukhasError) || error.code !== 'CONFIG') throw error;
    this.#found.unchecked(error.message);
  }

  #reportUnsigned(unsigned: number, key: NoteVerifier | null): void {
    if (this.kept.length === 0) return;
    const { folder } = this.files;
    if (key === null) this.#found.unchecked(`signer of the checkpoints in ${folder}: no log key on this machine`);
    else if (unsigned > 0) {
      this.#found.unchecked(`signer of checkpoints in ${folder} (${unsigned}): not the log key on this machine`);
    }
  }

  /** A checkpoint that a witness refused is a problem only when this log contains it. */
  async #refused(size: number): Promise<void> {
    const where = this.files.pathOf(size, 'refused');
    const note = await this.#note(size, 'refused');
    const checkpoint = note === null ? null : await this.#found.attempt(() => parseCheckpoint(parseNote(note).text));
    if (checkpoint === null) return;
    if (this.#roots.get(size)?.equals(checkpoint.root)) {
      this.#found.problem(
        `${where}: a witness has cosigned a different history than the first ${size} entries of this log`,
      );
    } else this.#found.unchecked(`${where}: refused by a witness; this log does not contain it`);
  }
}

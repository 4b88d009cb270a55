import { LukhasError } from '../errors.js';
import type { Ledger } from '../ledger/ledger.js';
import { type Checkpoint, formatCheckpoint, parseCheckpoint } from './checkpoint.js';
import type { CheckpointFiles } from './checkpoint-files.js';
import { verifyConsistency } from './merkle-verify.js';
import { formatNote, type NoteSignature, type NoteVerifier, noteSigner, parseNote, type Signer } from './note.js';
import { refused } from './refused.js';

/** What a checkpoint is made of, and proved with. */
export type ProvableLog = Pick<Ledger, 'root' | 'consistencyProof'>;

export interface KeptCheckpoint extends Checkpoint {
  /** With the signatures that it has by now. */
  note: string;
}

interface CheckpointsOptions {
  log: ProvableLog;
  files: CheckpointFiles;
  /** Of the log. */
  origin: string;
  key: Signer;
}

/** Kept checkpoints that are looked through for the last one that a witness has cosigned. */
const LOOKED_THROUGH = 50;

/**
 * Signs the log at its present size and keeps what was signed. What was signed once binds: nothing is signed that does not
 * contain it, so that a database that was rolled back or rewritten is noticed here, unless these files were, too.
 */
export class Checkpoints {
  readonly #o: CheckpointsOptions;

  constructor(options: CheckpointsOptions) {
    this.#o = options;
  }

  get origin(): string {
    return this.#o.origin;
  }

  /** Where they are kept. */
  get folder(): string {
    return this.#o.files.folder;
  }

  /**
   * The log as it is, signed and on disk; the one that is there when nothing was appended since.
   * @throws LukhasError VERIFICATION when the log does not contain what was signed last; CONFIG when it cannot be kept; LEDGER_*
   */
  async make(): Promise<KeptCheckpoint & { created: boolean }> {
    const { origin, key, files } = this.#o;
    const { size, root } = await this.check();
    const signer = noteSigner(origin, key);
    const text = formatCheckpoint({ origin, size, root });
    const own = { name: signer.name, keyId: signer.keyId, signature: signer.sign(text) };
    const note = formatNote({ text, signatures: [own] });
    if (await files.add(size, note)) return { origin, size, root, note, created: true };
    const there = await this.#read(size);
    if (parseNote(there.note).text !== text) throw otherName(this.folder, there, origin);
    return { ...(await this.addSignatures(size, [own])), created: false };
  }

  /**
   * Whether the log still contains what was signed last.
   * @returns its present size and root
   * @throws LukhasError VERIFICATION when it does not; LEDGER_*
   */
  async check(): Promise<{ size: number; root: Buffer }> {
    const last = await this.latest();
    const now = await this.#o.log.root();
    if (last === null) return now;
    if (now.size < last.size) {
      throw rolledBack(
        `the log has ${now.size} entries, but ${last.size} were signed in ${this.folder}: entries are gone`,
      );
    }
    const path = await this.#o.log.consistencyProof(last.size, now.size);
    const claim = { first: last.size, second: now.size, firstRoot: last.root, secondRoot: now.root, path };
    if (verifyConsistency(claim)) return now;
    throw rolledBack(`the first ${last.size} entries of the log are not those that were signed in ${this.folder}`);
  }

  /** The largest that was signed. @throws LukhasError VERIFICATION when its file cannot be understood */
  async latest(): Promise<KeptCheckpoint | null> {
    const size = (await this.#o.files.sizes()).at(-1);
    return size === undefined ? null : this.#read(size);
  }

  /** Size of the newest one with a cosignature of this witness; 0 without any: then the witness is asked. */
  async lastCosignedBy(witness: NoteVerifier): Promise<number> {
    const sizes = (await this.#o.files.sizes()).slice(-LOOKED_THROUGH).reverse();
    for (const size of sizes) {
      const { text, signatures } = parseNote((await this.#read(size)).note);
      if (signatures.some((each) => isBy(each, witness) && witness.verify(text, each.signature))) return size;
    }
    return 0;
  }

  /** Adds signatures, which the caller has verified, to one that is kept; a newer one of the same key replaces the older. */
  async addSignatures(size: number, more: readonly NoteSignature[]): Promise<KeptCheckpoint> {
    const there = await this.#read(size);
    const { text, signatures } = parseNote(there.note);
    const kept = signatures.map((each) => more.find((other) => isBy(other, each)) ?? each);
    const added = more.filter((each) => !signatures.some((other) => isBy(other, each)));
    const note = formatNote({ text, signatures: [...kept, ...added] });
    if (note !== there.note) await this.#o.files.replace(size, note);
    return { ...there, note };
  }

  /** That the log of `size` entries begins with its first `from`. */
  proof(from: number, size: number): Promise<Buffer[]> {
    return this.#o.log.consistencyProof(from, size);
  }

  async #read(size: number): Promise<KeptCheckpoint> {
    const note = await this.#o.files.read(size);
    const where = `${this.folder}/${size}`;
    if (note === null) throw refused(`${where}: this checkpoint has gone`);
    try {
      const checkpoint = parseCheckpoint(parseNote(note).text);
      if (checkpoint.size !== size) throw refused(`is a checkpoint of ${checkpoint.size} entries`);
      return { ...checkpoint, note };
    } catch (cause) {
      if (!(cause instanceof LukhasError)) throw cause;
      throw refused(`${where}: ${cause.message}`, cause);
    }
  }
}

function isBy(signature: Pick<NoteSignature, 'name' | 'keyId'>, key: Pick<NoteSignature, 'name' | 'keyId'>): boolean {
  return signature.name === key.name && signature.keyId === key.keyId;
}

function rolledBack(what: string): LukhasError {
  return new LukhasError('VERIFICATION', what, {
    suggestions: [
      'Nothing is signed. Was an older copy of the database put back, or does another one in this folder have the same keys?',
      'docs/witness.md says what to do: the entries that are missing may be in a backup.',
    ],
  });
}

function otherName(folder: string, there: Checkpoint, origin: string): LukhasError {
  return new LukhasError(
    'CONFIG',
    `${folder}/${there.size}: was signed as ${JSON.stringify(there.origin)}, and the log is now called ${JSON.stringify(origin)}`,
    { suggestions: ['Set keys.origin to the name that it was signed with.'] },
  );
}

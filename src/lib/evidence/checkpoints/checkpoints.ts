import { LukhasError } from '../../errors.js';
import type { Ledger } from '../../ledger/index.js';
import type { Owner } from '../../process/index.js';
import {
  type Checkpoint,
  formatCheckpoint,
  formatNote,
  isSignedBy,
  looksCosigned,
  type NoteSignature,
  type NoteVerifier,
  noteSigner,
  parseNote,
  SIGNATURE_TYPE,
  type Signer,
} from '../formats/index.js';
import { checkpointVerifiers } from '../keys/index.js';
import { type HashableLog, rehash } from '../leaves/index.js';
import { verifyConsistency } from '../tree/index.js';
import type { CheckpointFiles } from './files.js';
import { entriesAreGone, type KeptCheckpoint, otherEntries, readKept, rolledBack } from './kept.js';

/** A log that checkpoints can be made of and proved against. */
export type ProvableLog = HashableLog & Pick<Ledger, 'root' | 'consistencyProof'>;

/** A checkpoint cosigned by a witness, with the proof that links it to a log of another size. */
export interface CosignedCheckpoint extends KeptCheckpoint {
  /** RFC 9162 consistency proof between the two sizes, whichever is smaller; empty when they are equal. */
  proof: Buffer[];
}

interface CheckpointsOptions {
  log: ProvableLog;
  files: CheckpointFiles;
  /** Name of the log. */
  origin: string;
  /** Whether `origin` was configured, rather than derived from `key`. */
  named?: boolean;
  key: Signer;
  /** The key that `key` replaces: signs too, so that whoever trusts the old key can see that it agreed. */
  previous?: Signer | null;
}

/** How many of the newest checkpoints are searched for the last one that a witness has cosigned. */
const SEARCHED_NEWEST = 50;
/** How many in each direction are searched for the nearest cosigned one: at one an hour, six weeks. */
const SEARCHED_EACH_WAY = 1000;

/**
 * Signs the log at its present size and keeps what was signed. Only a log that contains the last signed checkpoint is signed
 * again, so a database that was rolled back or rewritten is noticed here, unless these files were changed too.
 */
export class Checkpoints {
  readonly #o: CheckpointsOptions;

  constructor(options: CheckpointsOptions) {
    this.#o = options;
  }

  get origin(): string {
    return this.#o.origin;
  }

  /** The folder that they are kept in. */
  get folder(): string {
    return this.#o.files.folder;
  }

  /** Whom files beside them belong to where root writes. */
  get owner(): Owner | null {
    return this.#o.files.owner;
  }

  /**
   * Signs the log as it is now and writes the checkpoint to disk; returns the existing one when nothing was appended since.
   * Entries that were not signed before are first hashed again from their bytes; changes in older ones are for `lukhas verify`.
   * @throws LukhasError VERIFICATION when the log does not contain what was signed last; CONFIG when it cannot be kept, or
   *   the last one was signed under another name or by another key; LEDGER_*
   */
  async make(): Promise<KeptCheckpoint & { created: boolean }> {
    const { origin, key, previous, files } = this.#o;
    const { size, root } = await this.check();
    await this.#refuseOtherSigner();
    await rehash(this.#o.log, { from: (await this.latest())?.size ?? 0, to: size }, root);
    const text = formatCheckpoint({ origin, size, root });
    const own = [key, previous ?? []].flat().map((each) => {
      const { name, keyId, sign } = noteSigner(origin, each);
      return { name, keyId, signature: sign(text) };
    });
    const note = formatNote({ text, signatures: own });
    if (await files.add(size, note)) return { origin, size, root, note, created: true };
    const there = await this.#read(size);
    if (parseNote(there.note).text !== text) throw otherName(this.folder, there, origin);
    return { ...(await this.addSignatures(size, own)), created: false };
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
    if (now.size < last.size) throw entriesAreGone(now.size, last, this.folder);
    const path = await this.#o.log.consistencyProof(last.size, now.size);
    const claim = { first: last.size, second: now.size, firstRoot: last.root, secondRoot: now.root, path };
    if (verifyConsistency(claim)) return now;
    throw otherEntries(last, this.folder);
  }

  /** The largest kept checkpoint. @throws LukhasError VERIFICATION when its file is invalid */
  async latest(): Promise<KeptCheckpoint | null> {
    const size = (await this.#o.files.sizes()).at(-1);
    return size === undefined ? null : this.#read(size);
  }

  /** Size of the newest checkpoint that this witness has cosigned; 0 when none is found: the witness then says its size. */
  async lastCosignedBy(witness: NoteVerifier): Promise<number> {
    const sizes = (await this.#o.files.sizes()).slice(-SEARCHED_NEWEST).reverse();
    for (const size of sizes) {
      const { text, signatures } = parseNote((await this.#read(size)).note);
      if (signatures.some((each) => isSignedBy(text, each, witness))) return size;
    }
    return 0;
  }

  /**
   * The kept checkpoint whose cosignature says most about the first `size` entries: the smallest that covers them all, else the
   * largest below. Also signed with the present key, for those who have only that one.
   * @returns null when there is none nearby
   * @throws LukhasError VERIFICATION when the log does not contain it, or its file is invalid; LEDGER_*
   */
  async cosigned(size: number): Promise<CosignedCheckpoint | null> {
    const found = await this.#nearestCosigned(size);
    if (found === null) return null;
    const { log, origin, key } = this.#o;
    const { root } = await log.root(size);
    const [first, second] = found.size < size ? [found, { size, root }] : [{ size, root }, found];
    const proof = await this.proof(first.size, second.size);
    const roots = { firstRoot: first.root, secondRoot: second.root };
    if (!verifyConsistency({ first: first.size, second: second.size, ...roots, path: proof })) {
      throw rolledBack(
        `the entries of the log differ from those that a witness has cosigned in ${this.folder}/${found.size}`,
      );
    }
    const { text, signatures } = parseNote(found.note);
    const signer = noteSigner(origin, key);
    const own = { name: signer.name, keyId: signer.keyId, signature: signer.sign(text) };
    const others = signatures.filter((each) => !isBy(each, own));
    return { ...found, note: formatNote({ text, signatures: [own, ...others] }), proof };
  }

  /**
   * Adds signatures, which the caller has verified, to a kept checkpoint, each key once. A new one replaces the old one of the
   * same key only when the old one does not verify: the earlier cosignature proves more, and may already be in packs.
   * @param keys verify the signatures that are there
   */
  async addSignatures(
    size: number,
    more: readonly NoteSignature[],
    keys: readonly NoteVerifier[] = [],
  ): Promise<KeptCheckpoint> {
    const there = await this.#read(size);
    const { text, signatures } = parseNote(there.note);
    const isGood = (each: NoteSignature) => keys.some((key) => isSignedBy(text, each, key));
    const kept = signatures.map((each) => (isGood(each) ? each : (more.find((other) => isBy(other, each)) ?? each)));
    const added = more.filter((each) => !signatures.some((other) => isBy(other, each)));
    const note = formatNote({ text, signatures: [...kept, ...added] });
    if (note !== there.note) await this.#o.files.replace(size, note);
    return { ...there, note };
  }

  /** That the log of `size` entries begins with its first `from`. */
  proof(from: number, size: number): Promise<Buffer[]> {
    return this.#o.log.consistencyProof(from, size);
  }

  async #nearestCosigned(size: number): Promise<KeptCheckpoint | null> {
    // A checkpoint of an empty log proves nothing.
    const sizes = (await this.#o.files.sizes()).filter((each) => each > 0);
    const covering = sizes.filter((each) => each >= size).slice(0, SEARCHED_EACH_WAY);
    const below = sizes.filter((each) => each < size).slice(-SEARCHED_EACH_WAY);
    for (const each of [...covering, ...below.reverse()]) {
      const kept = await this.#read(each);
      if (kept.origin === this.origin && cosigners(kept.note).length > 0) return kept;
    }
    return null;
  }

  /**
   * A replaced key must not go unnoticed under the name by which others know the log, nor its own key sign it under another name.
   * Only a log whose old key is lost gets another name, and only one that somebody has chosen.
   */
  async #refuseOtherSigner(): Promise<void> {
    const { origin, named = false, key, previous } = this.#o;
    const last = await this.latest();
    if (last === null) return;
    const isOurs = [key, previous ?? []].flat().some((each) => hasSigned(each, last));
    if (last.origin === origin) {
      if (!isOurs) throw otherKey(this.folder, last);
    } else if (isOurs || !named) throw otherName(this.folder, last, origin);
  }

  /** Marks a checkpoint that a witness has refused as a different history: it is no longer used. */
  async setAside(size: number): Promise<void> {
    await this.#o.files.setAside(size);
  }

  #read(size: number): Promise<KeptCheckpoint> {
    return readKept(this.#o.files, size);
  }
}

/** Names on the cosignatures of a note; the cosignatures are not verified. */
export function cosigners(note: string): string[] {
  return parseNote(note)
    .signatures.filter(looksCosigned)
    .map(({ name }) => name);
}

function hasSigned({ publicKey }: Signer, { origin, note }: KeptCheckpoint): boolean {
  const { text, signatures } = parseNote(note);
  const keys = checkpointVerifiers(origin, [{ name: origin, type: SIGNATURE_TYPE.note, publicKey }]);
  return keys.some((key) => signatures.some((each) => isSignedBy(text, each, key)));
}

function isBy(signature: Pick<NoteSignature, 'name' | 'keyId'>, key: Pick<NoteSignature, 'name' | 'keyId'>): boolean {
  return signature.name === key.name && signature.keyId === key.keyId;
}

function otherKey(folder: string, { origin, size }: Checkpoint): LukhasError {
  return new LukhasError(
    'CONFIG',
    `${folder}/${size}: signed as ${JSON.stringify(origin)} by a different key than the current log key`,
    {
      suggestions: [
        'Restore the key that signed it.',
        'If you replaced the key on purpose, have the old one sign too: lukhas checkpoint --old-key FILE',
        'If the old key is lost, give the log a new name: keys.origin.',
      ],
    },
  );
}

function otherName(folder: string, there: Checkpoint, origin: string): LukhasError {
  return new LukhasError(
    'CONFIG',
    `${folder}/${there.size}: signed as ${JSON.stringify(there.origin)}, but the log is now named ${JSON.stringify(origin)}`,
    {
      suggestions: [
        'Nothing was signed. Pass --config with the configuration that sets keys.origin to the name it was signed with.',
        `If there is none, set it: keys: {origin: ${JSON.stringify(there.origin)}}`,
      ],
    },
  );
}

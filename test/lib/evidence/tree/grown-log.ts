import type { ProvableLog } from '../../../../src/lib/evidence/checkpoints/checkpoints.js';
import { signCheckpoint } from '../../../../src/lib/evidence/formats/checkpoint.js';
import { noteSigner, type Signer } from '../../../../src/lib/evidence/formats/note.js';
import { SIGNATURE_TYPE, type VerifierKey } from '../../../../src/lib/evidence/formats/vkey.js';
import { formatAddCheckpoint } from '../../../../src/lib/evidence/witness/request.js';
import type { LinePage, SeqRange } from '../../../../src/lib/ledger/pages.js';
import { naiveConsistency, naiveRoot } from './trees.js';

/** A log in memory, by the definitions of RFC 6962, with its key: what whoever holds the key can sign. */
export class GrownLog implements ProvableLog {
  constructor(
    readonly origin: string,
    readonly key: Signer,
    readonly entries: Buffer[] = [],
  ) {}

  get vkey(): VerifierKey {
    return { name: this.origin, type: SIGNATURE_TYPE.note, publicKey: this.key.publicKey };
  }

  grow(count: number, what = 'entry'): this {
    for (let n = 0; n < count; n++) this.entries.push(Buffer.from(`${what} ${this.entries.length}`));
    return this;
  }

  /** The same up to `size`, then on its own. */
  fork(size = this.entries.length): GrownLog {
    return new GrownLog(this.origin, this.key, this.entries.slice(0, size));
  }

  root(size = this.entries.length): Promise<{ size: number; root: Buffer }> {
    return Promise.resolve({ size, root: naiveRoot(this.entries.slice(0, size)) });
  }

  compactRange(size = this.entries.length): Promise<{ size: number; hashes: Buffer[] }> {
    const hashes: Buffer[] = [];
    for (let start = 0; start < size; ) {
      const length = 2 ** Math.floor(Math.log2(size - start));
      hashes.push(naiveRoot(this.entries.slice(start, start + length)));
      start += length;
    }
    return Promise.resolve({ size, hashes });
  }

  /** One page, whatever its length. */
  readonly pages = {
    lines: async function* (this: GrownLog, { from, to }: SeqRange, ending: string): AsyncGenerator<LinePage> {
      const lines = this.entries.slice(from, to).flatMap((entry) => [entry, Buffer.from(ending)]);
      yield { from, to, bytes: Buffer.concat(lines), omitted: [] };
    }.bind(this),
  };

  consistencyProof(first: number, second = this.entries.length): Promise<Buffer[]> {
    return Promise.resolve(naiveConsistency(first, this.entries.slice(0, second)));
  }

  /** Signed, of the first `size` entries. */
  note(size = this.entries.length): string {
    const checkpoint = { origin: this.origin, size, root: naiveRoot(this.entries.slice(0, size)) };
    return signCheckpoint(checkpoint, [noteSigner(this.origin, this.key)]);
  }

  /** Body of add-checkpoint with the proof that this log can give. */
  request(oldSize: number, size = this.entries.length): Buffer {
    const proof = oldSize > 0 && oldSize < size ? naiveConsistency(oldSize, this.entries.slice(0, size)) : [];
    return Buffer.from(formatAddCheckpoint({ oldSize, proof, note: this.note(size) }));
  }
}

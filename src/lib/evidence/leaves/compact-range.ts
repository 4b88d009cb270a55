import { refused } from '../formats/index.js';
import { emptyRoot, nodeHash } from '../tree/index.js';

const HASH_BYTES = 32;

/**
 * The first `size` entries of a log, as the roots of the perfect subtrees that make them up, largest first: one for each set
 * bit of `size` (the compact range of transparency logs). Appending the leaf hashes of a window gives the root of everything;
 * when that equals the root of a checkpoint, the window is complete and in order.
 */
export class CompactRange {
  #size: number;
  readonly #roots: Buffer[];

  /** @throws LukhasError VERIFICATION when there are not as many hashes as `size` needs, or one is not 32 bytes long */
  constructor(size = 0, hashes: readonly Uint8Array[] = []) {
    if (!Number.isSafeInteger(size) || size < 0) throw refused(`compact range: ${size} is not a number of entries`);
    const wanted = bits(size);
    if (hashes.length !== wanted) {
      throw refused(`compact range: ${size} entries need ${wanted} hashes, got ${hashes.length}`);
    }
    if (hashes.some((hash) => hash.length !== HASH_BYTES))
      throw refused('compact range: contains something that is not a SHA-256 hash');
    this.#size = size;
    this.#roots = hashes.map((hash) => Buffer.from(hash));
  }

  get size(): number {
    return this.#size;
  }

  /** Largest subtree first. */
  get hashes(): readonly Buffer[] {
    return this.#roots;
  }

  /** @param leaf `leafHash` of the next entry's bytes */
  append(leaf: Buffer): void {
    let node = leaf;
    // Each subtree of the same size on its left makes one of twice the size with it.
    for (let n = this.#size; n % 2 === 1; n = (n - 1) / 2) node = nodeHash(this.#roots.pop() as Buffer, node);
    this.#roots.push(node);
    this.#size++;
  }

  /** RFC 6962 root over all entries. */
  root(): Buffer {
    const [last, ...before] = this.#roots.toReversed();
    return last === undefined ? emptyRoot() : before.reduce((right, left) => nodeHash(left, right), last);
  }
}

/** Bit operators work on 32 bits only. */
function bits(size: number): number {
  let count = 0;
  for (let n = size; n > 0; n = Math.floor(n / 2)) count += n % 2;
  return count;
}

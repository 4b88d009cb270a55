import { EMPTY_ROOT, nodeHash } from './merkle.js';

/**
 * A Merkle tree (RFC 6962, 2.1) that leaves are added to. It keeps the roots of the perfect subtrees that make it up, largest
 * first, which is enough for its root and for going on.
 */
export class GrowingTree {
  #size: number;
  readonly #hashes: Buffer[];

  constructor(size = 0, hashes: readonly Buffer[] = []) {
    this.#size = size;
    this.#hashes = [...hashes];
  }

  /** Number of leaves. */
  get size(): number {
    return this.#size;
  }

  append(leaf: Buffer): void {
    let node = leaf;
    // Each subtree of the same size on the left makes one of twice the size with it.
    for (let n = this.#size; n % 2 === 1; n = (n - 1) / 2) node = nodeHash(this.#hashes.pop() as Buffer, node);
    this.#hashes.push(node);
    this.#size++;
  }

  copy(): GrowingTree {
    return new GrowingTree(this.#size, this.#hashes);
  }

  root(): Buffer {
    return this.#hashes.length === 0 ? EMPTY_ROOT : this.#hashes.reduceRight((right, left) => nodeHash(left, right));
  }

  /** Whether a tree of the same size is made up of these subtrees (`Ledger.compactRange`). */
  isMadeOf(hashes: readonly Buffer[]): boolean {
    return hashes.length === this.#hashes.length && hashes.every((hash, i) => this.#hashes[i]?.equals(hash));
  }
}

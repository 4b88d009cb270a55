import { refused } from '../formats/index.js';
import { emptyRoot, nodeHash } from '../tree/index.js';

/** Root of a perfect subtree, as completeness.json names it. */
export interface Subtree {
  level: number;
  index: number;
  hash: Buffer;
}

/**
 * The Merkle tree of the log: starts with the subtrees of all entries before the window, and grows by the window's leaves.
 * Remembers the root at one earlier size, where it can be computed.
 */
export class PackTree {
  readonly #stack: { size: number; hash: Buffer }[] = [];
  readonly #watched: number | null;
  #size = 0;
  #rootThen: Buffer | null = null;

  /**
   * @param from entries before the window
   * @param before their perfect subtrees, largest first
   * @param watched a size whose root is to be remembered
   * @throws LukhasError VERIFICATION when the subtrees are not those of `from` entries
   */
  constructor(from: number, before: readonly Subtree[], watched: number | null = null) {
    this.#watched = watched;
    this.#watch();
    for (const { level, index, hash } of before) {
      const size = 2 ** level;
      const last = this.#stack.at(-1)?.size ?? Number.POSITIVE_INFINITY;
      if (size >= last || index * size !== this.#size) throw notItsSubtrees(from);
      this.#stack.push({ size, hash });
      this.#size += size;
      this.#watch();
    }
    if (this.#size !== from) throw notItsSubtrees(from);
  }

  get size(): number {
    return this.#size;
  }

  /** Root at the watched size; null when it lies between subtrees, or was not reached. */
  get rootThen(): Buffer | null {
    return this.#rootThen;
  }

  append(leaf: Buffer): void {
    let right = { size: 1, hash: leaf };
    for (let left = this.#stack.at(-1); left?.size === right.size; left = this.#stack.at(-1)) {
      this.#stack.pop();
      right = { size: right.size * 2, hash: nodeHash(left.hash, right.hash) };
    }
    this.#stack.push(right);
    this.#size++;
    this.#watch();
  }

  root(): Buffer {
    const last = this.#stack.at(-1);
    if (last === undefined) return emptyRoot();
    return this.#stack.slice(0, -1).reduceRight((root, { hash }) => nodeHash(hash, root), last.hash);
  }

  #watch(): void {
    if (this.#size === this.#watched) this.#rootThen = this.root();
  }
}

function notItsSubtrees(from: number): Error {
  return refused(`completeness.json: "before" does not describe the ${from} entries before the window`);
}

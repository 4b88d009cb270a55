import { hash } from 'node:crypto';

/**
 * The Merkle tree of RFC 6962, section 2.1 (proofs as in RFC 9162, 2.1.3 and 2.1.4), over stored perfect subtrees.
 * Node (level, index) is the root of the perfect subtree over leaves [index * 2^level, (index + 1) * 2^level);
 * level 0 holds the leaf hashes. Everything is synchronous and pure; sizes may be any safe integer.
 */
export type NodeReader = (level: number, index: number) => Buffer;

/** Root of the tree without leaves: sha256(""). */
export const EMPTY_ROOT = sha256('');

/** sha256(0x00 || bytes); a string stands for its UTF-8 bytes. */
export function leafHash(bytes: string | Uint8Array): Buffer {
  return sha256(typeof bytes === 'string' ? `\0${bytes}` : Buffer.concat([LEAF_PREFIX, bytes]));
}

/** sha256(0x01 || left || right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  NODE_INPUT.set(left, 1);
  NODE_INPUT.set(right, 33);
  return sha256(NODE_INPUT);
}

/**
 * Hashes of the perfect subtrees that leaf `n` completes, from level 1 upwards: none for an even `n`, one per append
 * on average. `read` is asked for left siblings only, which lie on the right edge of the tree of size `n`.
 */
export function completedNodes(n: number, leaf: Buffer, read: NodeReader): Buffer[] {
  const completed: Buffer[] = [];
  let node = leaf;
  for (let index = n; index % 2 === 1; index = (index - 1) / 2) {
    node = nodeHash(read(completed.length, index - 1), node);
    completed.push(node);
  }
  return completed;
}

/** Tree head over the first `size` leaves. */
export function rootHash(size: number, read: NodeReader): Buffer {
  return size === 0 ? EMPTY_ROOT : subtreeHash(0, size, read);
}

/**
 * Roots of the perfect subtrees that make up the first `size` leaves, largest first: one for each bit that is set in
 * `size`. Whoever has them can append what follows and get the root, without what comes before.
 */
export function compactRange(size: number, read: NodeReader): Buffer[] {
  const hashes: Buffer[] = [];
  for (let start = 0; start < size; ) {
    let level = 0;
    while (2 ** (level + 1) <= size - start) level++;
    hashes.push(read(level, start / 2 ** level));
    start += 2 ** level;
  }
  return hashes;
}

/** Audit path of leaf `index` in the tree over the first `size` leaves, lowest node first; 0 <= index < size. */
export function inclusionProof(index: number, size: number, read: NodeReader): Buffer[] {
  const path: Buffer[] = [];
  let [start, length] = [0, size];
  while (length > 1) {
    const split = splitPoint(length);
    if (index - start < split) {
      path.push(subtreeHash(start + split, length - split, read));
      length = split;
    } else {
      path.push(subtreeHash(start, split, read));
      start += split;
      length -= split;
    }
  }
  return path.reverse();
}

/** Proof that the tree of size `first` is a prefix of that of size `second`; 0 <= first <= second. */
export function consistencyProof(first: number, second: number, read: NodeReader): Buffer[] {
  if (first === 0 || first === second) return [];
  const path: Buffer[] = [];
  let [start, length] = [0, second];
  // Stops at the subtree that ends exactly where the first tree ends.
  while (first - start !== length) {
    const split = splitPoint(length);
    if (first - start <= split) {
      path.push(subtreeHash(start + split, length - split, read));
      length = split;
    } else {
      path.push(subtreeHash(start, split, read));
      start += split;
      length -= split;
    }
  }
  // The verifier knows that subtree already when it is the whole first tree.
  if (start > 0) path.push(subtreeHash(start, length, read));
  return path.reverse();
}

/** RFC 9162, 2.1.3.2: whether `leaf` is at `index` in the tree of `size` leaves with this root. */
export function verifyInclusion(
  index: number,
  size: number,
  leaf: Uint8Array,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (!isSize(index) || !isSize(size) || index >= size || !areHashes([leaf, root, ...proof])) return false;
  let [fn, sn] = [index, size - 1];
  let node = leaf;
  for (const sibling of proof) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      node = nodeHash(sibling, node);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      node = nodeHash(node, sibling);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && equal(node, root);
}

/** RFC 9162, 2.1.4.2: whether the tree of size `first` is a prefix of the tree of size `second`. */
export function verifyConsistency(
  first: number,
  second: number,
  firstRoot: Uint8Array,
  secondRoot: Uint8Array,
  proof: readonly Uint8Array[],
): boolean {
  if (!isSize(first) || !isSize(second) || first > second) return false;
  if (!areHashes([firstRoot, secondRoot, ...proof])) return false;
  if (first === second) return proof.length === 0 && equal(firstRoot, secondRoot);
  if (first === 0) return proof.length === 0 && equal(firstRoot, EMPTY_ROOT);
  const path = isPowerOfTwo(first) ? [firstRoot, ...proof] : [...proof];
  let [fn, sn] = [first - 1, second - 1];
  while (fn % 2 === 1) [fn, sn] = [half(fn), half(sn)];
  const seed = path.shift();
  if (seed === undefined) return false;
  let [fr, sr] = [seed, seed];
  for (const node of path) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      fr = nodeHash(node, fr);
      sr = nodeHash(node, sr);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      sr = nodeHash(sr, node);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && equal(fr, firstRoot) && equal(sr, secondRoot);
}

const LEAF_PREFIX = Buffer.from([0]);
const NODE_INPUT = Buffer.alloc(65, 1);

/** By way of a string: a digest returned as a Buffer is memory outside the heap, three times as slow. */
function sha256(data: string | Uint8Array): Buffer {
  return Buffer.from(hash('sha256', data, 'binary'), 'latin1');
}

/** Hash of the tree over leaves [start, start + length), where start is a multiple of every perfect part's size. */
function subtreeHash(start: number, length: number, read: NodeReader): Buffer {
  if (isPowerOfTwo(length)) return read(Math.log2(length), start / length);
  const split = splitPoint(length);
  return nodeHash(subtreeHash(start, split, read), subtreeHash(start + split, length - split, read));
}

/** Largest power of two below `length`, for length >= 2. */
function splitPoint(length: number): number {
  let split = 1;
  while (split * 2 < length) split *= 2;
  return split;
}

// Bit operators work on 32 bits only.
const half = (n: number): number => Math.floor(n / 2);
const isPowerOfTwo = (n: number): boolean => splitPoint(n) * 2 === n || n === 1;
const isSize = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;
const areHashes = (hashes: readonly Uint8Array[]): boolean => hashes.every((h) => h.length === 32);
const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

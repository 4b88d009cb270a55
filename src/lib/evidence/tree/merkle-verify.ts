import { hash } from 'node:crypto';

/**
 * Verification of RFC 6962 trees (proofs: RFC 9162, sections 2.1.3 and 2.1.4), written independently of what builds the tree
 * and its proofs (src/lib/ledger/tree/merkle.ts), so that neither repeats the other's mistakes. A proof has one hash for each
 * level inside the perfect part of the tree (`inner`), then one for each left turn along the right border (`border`).
 * Everything is pure; sizes are safe integers.
 */
export interface InclusionClaim {
  index: number;
  size: number;
  /** `leafHash` of the entry's bytes. */
  leaf: Uint8Array;
  /** Lowest first. */
  path: readonly Uint8Array[];
  root: Uint8Array;
}

export interface ConsistencyClaim {
  first: number;
  second: number;
  firstRoot: Uint8Array;
  secondRoot: Uint8Array;
  path: readonly Uint8Array[];
}

const HASH_BYTES = 32;
const LEAF = Buffer.from([0]);
const NODE = Buffer.from([1]);

/** Hash of an entry as a leaf: SHA-256(0x00 || bytes). A string is taken as its UTF-8 bytes. */
export function leafHash(bytes: string | Uint8Array): Buffer {
  return sha256(Buffer.concat([LEAF, typeof bytes === 'string' ? Buffer.from(bytes) : bytes]));
}

/** SHA-256(0x01 || left || right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return sha256(Buffer.concat([NODE, left, right]));
}

/** Root of an empty log: SHA-256 of no bytes. */
export function emptyRoot(): Buffer {
  return sha256(Buffer.alloc(0));
}

/** Whether the entry is at `index` of the first `size` entries. False for a malformed claim. */
export function verifyInclusion({ index, size, leaf, path, root }: InclusionClaim): boolean {
  if (!isCount(index) || !isCount(size) || index >= size) return false;
  if (![leaf, root, ...path].every(isHash)) return false;
  const { inner, border } = shape(BigInt(index), BigInt(size));
  if (path.length !== inner + border) return false;
  const low = climb(leaf, path.slice(0, inner), BigInt(index));
  return same(alongBorder(low, path.slice(inner)), root);
}

/** Whether the log at `first` entries is the beginning of the log at `second`: nothing was removed, changed or moved. */
export function verifyConsistency({ first, second, firstRoot, secondRoot, path }: ConsistencyClaim): boolean {
  if (!isCount(first) || !isCount(second) || first > second) return false;
  if (![firstRoot, secondRoot, ...path].every(isHash)) return false;
  if (first === 0 && !same(firstRoot, emptyRoot())) return false;
  if (second === 0 && !same(secondRoot, emptyRoot())) return false;
  if (first === second) return path.length === 0 && same(firstRoot, secondRoot);
  if (first === 0) return path.length === 0;
  return connects(BigInt(first), BigInt(second), { firstRoot, secondRoot, path });
}

/** Computes both roots from the subtree at the end of the first log, with the same hashes. */
function connects(
  first: bigint,
  second: bigint,
  { firstRoot, secondRoot, path }: Pick<ConsistencyClaim, 'firstRoot' | 'secondRoot' | 'path'>,
): boolean {
  const last = first - 1n;
  const { inner, border } = shape(last, second);
  const skipped = trailingZeros(first);
  // When the first log is one perfect subtree, its root is the seed, and the proof does not repeat it.
  const whole = first === 1n << BigInt(skipped);
  const [seed, ...rest] = whole ? [firstRoot, ...path] : path;
  if (seed === undefined || rest.length !== inner - skipped + border) return false;
  const low = rest.slice(0, inner - skipped);
  const high = rest.slice(inner - skipped);
  const turns = last >> BigInt(skipped);
  const lefts = low.filter((_, level) => ((turns >> BigInt(level)) & 1n) === 1n);
  return (
    same(alongBorder(alongBorder(seed, lefts), high), firstRoot) &&
    same(alongBorder(climb(seed, low, turns), high), secondRoot)
  );
}

/** Levels below the point where the leaf's path meets the right border, and the path's left siblings above it. */
function shape(index: bigint, size: bigint): { inner: number; border: number } {
  const inner = bitLength(index ^ (size - 1n));
  return { inner, border: ones(index >> BigInt(inner)) };
}

/** From a node upwards: bit by bit, `turns` says whether it is a right child. */
function climb(node: Uint8Array, path: readonly Uint8Array[], turns: bigint): Uint8Array {
  return path.reduce(
    (below, sibling, level) =>
      ((turns >> BigInt(level)) & 1n) === 0n ? nodeHash(below, sibling) : nodeHash(sibling, below),
    node,
  );
}

/** From a node upwards, where it is a right child every time. */
function alongBorder(node: Uint8Array, path: readonly Uint8Array[]): Uint8Array {
  return path.reduce((below, sibling) => nodeHash(sibling, below), node);
}

/** In one call, and through a string: a hash object, or a digest outside the heap, costs more than the hashing. */
function sha256(bytes: Uint8Array): Buffer {
  return Buffer.from(hash('sha256', bytes, 'binary'), 'latin1');
}

const bitLength = (n: bigint): number => (n === 0n ? 0 : n.toString(2).length);
const ones = (n: bigint): number => n.toString(2).replaceAll('0', '').length;
const trailingZeros = (n: bigint): number => /0*$/.exec(n.toString(2))?.[0].length ?? 0;
const isCount = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;
const isHash = (hash: Uint8Array): boolean => hash.length === HASH_BYTES;
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

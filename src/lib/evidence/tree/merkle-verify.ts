/**
 * Verification of RFC 6962 trees (proofs: RFC 9162, sections 2.1.3 and 2.1.4), written independently of what builds the tree
 * and its proofs (src/lib/ledger/tree/merkle.ts), so that neither repeats the other's mistakes. A proof has one hash for each
 * level inside the perfect part of the tree (`inner`), then one for each left turn along the right border (`border`).
 * Everything is pure, runs in a browser too, and takes SHA-256 as a parameter; sizes are safe integers.
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

/** What is computed and verified with one implementation of SHA-256, whose results keep their type. */
export interface MerkleVerifier<H extends Uint8Array> {
  /** Hash of an entry as a leaf: SHA-256(0x00 || bytes). A string is taken as its UTF-8 bytes. */
  leafHash(bytes: string | Uint8Array): H;
  /** SHA-256(0x01 || left || right). */
  nodeHash(left: Uint8Array, right: Uint8Array): H;
  /** Root of an empty log: SHA-256 of no bytes. */
  emptyRoot(): H;
  /** Whether the entry is at `index` of the first `size` entries. False for a malformed claim. */
  verifyInclusion(claim: InclusionClaim): boolean;
  /** Whether the log at `first` entries is the beginning of the log at `second`: nothing was removed, changed or moved. */
  verifyConsistency(claim: ConsistencyClaim): boolean;
}

export function merkleVerifier<H extends Uint8Array>(sha256: (bytes: Uint8Array) => H): MerkleVerifier<H> {
  const leafHash = (bytes: string | Uint8Array): H =>
    sha256(joined(LEAF, typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes));
  const nodeHash = (left: Uint8Array, right: Uint8Array): H => sha256(joined(NODE, left, right));
  const emptyRoot = (): H => sha256(new Uint8Array());

  /** From a node upwards: bit by bit, `turns` says whether it is a right child. */
  const climb = (node: Uint8Array, path: readonly Uint8Array[], turns: bigint): Uint8Array =>
    path.reduce(
      (below, sibling, level) =>
        ((turns >> BigInt(level)) & 1n) === 0n ? nodeHash(below, sibling) : nodeHash(sibling, below),
      node,
    );

  /** From a node upwards, where it is a right child every time. */
  const alongBorder = (node: Uint8Array, path: readonly Uint8Array[]): Uint8Array =>
    path.reduce((below, sibling) => nodeHash(sibling, below), node);

  const verifyInclusion = ({ index, size, leaf, path, root }: InclusionClaim): boolean => {
    if (!isCount(index) || !isCount(size) || index >= size) return false;
    if (![leaf, root, ...path].every(isHash)) return false;
    const { inner, border } = shape(BigInt(index), BigInt(size));
    if (path.length !== inner + border) return false;
    const low = climb(leaf, path.slice(0, inner), BigInt(index));
    return same(alongBorder(low, path.slice(inner)), root);
  };

  const verifyConsistency = (claim: ConsistencyClaim): boolean => {
    const { first, second, firstRoot, secondRoot, path } = claim;
    if (!isCount(first) || !isCount(second) || first > second) return false;
    if (![firstRoot, secondRoot, ...path].every(isHash)) return false;
    if (first === 0 && !same(firstRoot, emptyRoot())) return false;
    if (second === 0 && !same(secondRoot, emptyRoot())) return false;
    if (first === second) return path.length === 0 && same(firstRoot, secondRoot);
    return first === 0 ? path.length === 0 : connects(claim);
  };

  /** Computes both roots from the subtree at the end of the first log, with the same hashes. */
  const connects = ({ first, second, firstRoot, secondRoot, path }: ConsistencyClaim): boolean => {
    const last = BigInt(first) - 1n;
    const { inner, border } = shape(last, BigInt(second));
    const skipped = trailingZeros(BigInt(first));
    // When the first log is one perfect subtree, its root is the seed, and the proof does not repeat it.
    const whole = BigInt(first) === 1n << BigInt(skipped);
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
  };

  return { leafHash, nodeHash, emptyRoot, verifyInclusion, verifyConsistency };
}

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Levels below the point where the leaf's path meets the right border, and the path's left siblings above it. */
function shape(index: bigint, size: bigint): { inner: number; border: number } {
  const inner = bitLength(index ^ (size - 1n));
  return { inner, border: ones(index >> BigInt(inner)) };
}

const bitLength = (n: bigint): number => (n === 0n ? 0 : n.toString(2).length);
const ones = (n: bigint): number => n.toString(2).replaceAll('0', '').length;
const trailingZeros = (n: bigint): number => /0*$/.exec(n.toString(2))?.[0].length ?? 0;
const isCount = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;
const isHash = (hash: Uint8Array): boolean => hash.length === HASH_BYTES;
const same = (a: Uint8Array, b: Uint8Array): boolean => a.every((byte, i) => byte === b[i]);

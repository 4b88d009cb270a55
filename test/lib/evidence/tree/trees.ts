import { createHash } from 'node:crypto';

/**
 * The tree and its proofs as the definitions of RFC 6962, 2.1 and 2.1.1 and 2.1.2 have them, word for word: slow, and
 * like neither of the two implementations.
 */
const sha = (...parts: readonly Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();

/** Largest power of two below n. */
function split(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

/** MTH(D[n]) */
export function naiveRoot(leaves: readonly Uint8Array[]): Buffer {
  if (leaves.length === 0) return sha();
  if (leaves.length === 1) return sha(Buffer.from([0]), leaves[0]!);
  const k = split(leaves.length);
  return sha(Buffer.from([1]), naiveRoot(leaves.slice(0, k)), naiveRoot(leaves.slice(k)));
}

/** PATH(m, D[n]) */
export function naivePath(m: number, leaves: readonly Uint8Array[]): Buffer[] {
  if (leaves.length === 1) return [];
  const k = split(leaves.length);
  return m < k
    ? [...naivePath(m, leaves.slice(0, k)), naiveRoot(leaves.slice(k))]
    : [...naivePath(m - k, leaves.slice(k)), naiveRoot(leaves.slice(0, k))];
}

/** PROOF(m, D[n]) */
export function naiveConsistency(m: number, leaves: readonly Uint8Array[]): Buffer[] {
  const subproof = (at: number, part: readonly Uint8Array[], whole: boolean): Buffer[] => {
    if (at === part.length) return whole ? [] : [naiveRoot(part)];
    const k = split(part.length);
    return at <= k
      ? [...subproof(at, part.slice(0, k), whole), naiveRoot(part.slice(k))]
      : [...subproof(at - k, part.slice(k), false), naiveRoot(part.slice(0, k))];
  };
  return m === 0 ? [] : subproof(m, leaves, true);
}

/** Entries that all differ. */
export const entries = (size: number): Buffer[] => Array.from({ length: size }, (_, i) => Buffer.from(`entry ${i}`));

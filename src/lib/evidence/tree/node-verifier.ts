import { hash } from 'node:crypto';
import { merkleVerifier } from './merkle-verify.js';

/** The verifier with the SHA-256 of Node.js. */
export const { leafHash, nodeHash, emptyRoot, verifyInclusion, verifyConsistency } = merkleVerifier(sha256);

/** In one call, and through a string: a hash object, or a digest outside the heap, costs more than the hashing. */
function sha256(bytes: Uint8Array): Buffer {
  return Buffer.from(hash('sha256', bytes, 'binary'), 'latin1');
}

/**
 * Verifies Merkle proofs (RFC 6962, RFC 9162) with code that shares nothing with what writes the log.
 */
export { merkleVerifier } from './merkle-verify.js';
export { emptyRoot, leafHash, nodeHash, verifyConsistency, verifyInclusion } from './node-verifier.js';

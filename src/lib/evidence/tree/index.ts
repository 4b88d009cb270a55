/**
 * Merkle proofs checked by code that shares nothing with what writes the log (RFC 6962, RFC 9162).
 */
export { emptyRoot, leafHash, nodeHash, verifyConsistency, verifyInclusion } from './merkle-verify.js';

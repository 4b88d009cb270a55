/**
 * How the log is hashed: canonical JSON (RFC 8785), the Merkle tree (RFC 6962), digests. The writer's own; verifiers have theirs.
 */
export { canonicalJson, recorded } from './canonical.js';
export { GrowingTree } from './growing-tree.js';
export {
  compactRange,
  completedNodes,
  consistencyProof,
  inclusionProof,
  leafHash,
  type NodeReader,
  rootHash,
  verifyInclusion,
} from './merkle.js';
export { policyDigest } from './policy-digest.js';

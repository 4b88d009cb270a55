import { createHash } from 'node:crypto';
import { canonicalJson } from './canonical.js';

/** SHA-256 of a policy's canonical JSON (RFC 8785), hex: what `canary.requested` records beside it. */
export function policyDigest(policy: unknown): string {
  return createHash('sha256').update(canonicalJson(policy, 'policy')).digest('hex');
}

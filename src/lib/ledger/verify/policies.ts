import { createHash } from 'node:crypto';
import { canonical, isRecord } from './entries.js';
import type { Findings } from './findings.js';

/** A request names the SHA-256 of its policy (RFC 8785), and approvals rely on it: the policy must match. */
export function checkPolicy(seq: number, event: unknown, findings: Findings): void {
  if (!isRecord(event) || event.kind !== 'canary.requested') return;
  const { policy, policyDigest } = isRecord(event.data) ? event.data : {};
  const digest = createHash('sha256').update(canonical(policy) ?? '');
  if (digest.digest('hex') !== policyDigest) findings.bad(seq, 'policy does not match its policyDigest');
}

import { canaryJson } from '../lib/app/index.js';
import { timestamp } from '../lib/clock.js';
import type { Verdict } from '../lib/judge/index.js';
import type { Canary } from '../lib/readings/index.js';
import { type CanaryNumbers, numbersOf } from '../lib/view/index.js';

export type CanaryStatus = Omit<ReturnType<typeof canaryJson>, 'verdict' | 'exit'> & {
  /** sha256 of the policy's canonical bytes, hex. */
  policyDigest: string;
  /** When the window began, RFC 3339; null before the first check. */
  startedAt: string | null;
  /** Short form; `whyMath` has all of it. */
  verdict: { decision: string; reason: string; certainty: string; decidedBy: string | null } | null;
};

/** With the numbers as of the newest check, or of the one that decided it; left out before the first one. */
export type CanaryStatusNow = CanaryStatus & { numbers?: CanaryNumbers };

export function statusOf(canary: Canary): CanaryStatus {
  const { verdict, exit: _, ...rest } = canaryJson(canary);
  return {
    ...rest,
    policyDigest: canary.policyDigest,
    startedAt: canary.startedAt === null ? null : timestamp(canary.startedAt),
    verdict: verdict && {
      decision: verdict.decision,
      reason: verdict.reason,
      certainty: verdict.certainty,
      decidedBy: verdict.decidedBy,
    },
  };
}

/** @param verdict the one that decided it, or how it stands */
export function statusNow(canary: Canary, verdict: Verdict | null): CanaryStatusNow {
  const status = statusOf(canary);
  return verdict === null ? status : { ...status, numbers: numbersOf(verdict, canary.policy, canary.extended) };
}

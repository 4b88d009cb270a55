import { timestamp } from '../clock.js';
import { EXIT } from '../errors.js';
import type { Canary } from '../readings/index.js';
import { approvalRule, approvalsEndAt, countApprovals } from '../readings/index.js';

/** The exit code that tells how a canary ended. */
export function exitOf(canary: Canary): number {
  if (canary.action.state === 'failed') return EXIT.hookFailed;
  switch (canary.state) {
    case 'PROMOTED':
      return EXIT.done;
    case 'ROLLED_BACK':
      return EXIT.rolledBack;
    case 'BLOCKED':
      // One that people are asked about is blocked by that, whatever blocked it before.
      return canary.action.state === 'none' && canary.verdict?.reason === 'source_unreachable'
        ? EXIT.source
        : EXIT.blocked;
    case 'ABORTED':
      return EXIT.aborted;
    case 'FAILED':
      return canary.failure?.code.startsWith('SOURCE') ? EXIT.source : EXIT.usage;
    default:
      return EXIT.timeout;
  }
}

/** A canary as `--json` prints it and the daemon answers. */
export function canaryJson(canary: Canary) {
  return {
    canaryId: canary.id,
    modelId: canary.modelId,
    fromGate: canary.fromGate,
    toGate: canary.toGate,
    status: canary.state,
    dryRun: canary.dryRun,
    createdAt: canary.createdAt,
    updatedAt: canary.updatedAt,
    requestedBy: canary.requestedBy,
    policy: canary.policy,
    source: canary.source,
    verdict: canary.verdict,
    observations: canary.observations,
    action: canary.action,
    ended: canary.ended,
    ...(canary.policy.approvals === undefined ? {} : { approvals: approvalsOf(canary) }),
    failure: canary.failure,
    fallbackSince: canary.fallbackSince,
    exit: exitOf(canary),
  };
}

/**
 * What people said of a canary whose policy wants approvals. `given` counts the newest that were alike; whether they hold
 * still is asked when it is carried out.
 */
function approvalsOf(canary: Canary) {
  const { consent, decidedAt, policy } = canary;
  const { approvals, rejected, lapsed, breakGlass } = consent;
  const rule = approvalRule(canary);
  const newest = approvals.at(-1);
  return {
    required: policy.approvals?.required ?? 0,
    given: newest === undefined ? 0 : countApprovals(consent, newest.digest),
    // Of a promotion only: nobody is asked about a rollback.
    expiresAt:
      rule === null || decidedAt === null || canary.action.kind !== 'promote'
        ? null
        : timestamp(approvalsEndAt(rule, decidedAt)),
    approvals,
    rejected,
    lapsed,
    breakGlass: breakGlass && { ...breakGlass, reviewDueAt: timestamp(breakGlass.reviewDueAt) },
  };
}

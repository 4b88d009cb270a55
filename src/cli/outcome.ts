import type { Canary } from '../lib/canary/state.js';
import { EXIT } from '../lib/errors.js';

/** The exit code that tells how a canary ended. */
export function exitOf(canary: Canary): number {
  if (canary.action.state === 'failed') return EXIT.hookFailed;
  switch (canary.state) {
    case 'PROMOTED':
      return EXIT.done;
    case 'ROLLED_BACK':
      return EXIT.rolledBack;
    case 'BLOCKED':
      return canary.verdict?.reason === 'source_unreachable' ? EXIT.source : EXIT.blocked;
    case 'ABORTED':
      return EXIT.aborted;
    case 'FAILED':
      return canary.failure?.code.startsWith('SOURCE') ? EXIT.source : EXIT.usage;
    default:
      return EXIT.timeout;
  }
}

/** What `--json` prints of a canary. */
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
    failure: canary.failure,
    fallbackSince: canary.fallbackSince,
    exit: exitOf(canary),
  };
}

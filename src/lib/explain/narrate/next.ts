import type { Verdict } from '../../judge/index.js';
import type { Facts } from '../../readings/index.js';
import { nextSteps } from '../summary.js';
import { clip, moment } from '../words.js';
import { approvalSteps } from './approvals.js';

/** What to do next. */
export function nextSentences(facts: Facts, verdict: Verdict | null): string[] {
  return [...steps(facts, verdict), `All the numbers: lukhas why-math ${facts.id}`];
}

function steps(facts: Facts, verdict: Verdict | null): string[] {
  const { id, state, acted, requested } = facts;
  const { dryRun } = requested.data;
  const people = approvalSteps(facts);
  if (people !== null && (facts.forced === null || acted?.data.ok)) return people;
  switch (state) {
    case 'PENDING':
      return [`Nobody has looked yet; watch it: lukhas canary resume ${id}`];
    case 'RUNNING':
      return [
        `Wait for ${end(facts)}, when its window ends.`,
        `If nobody watches it, go on with it: lukhas canary resume ${id}`,
        `To end it: lukhas canary abort ${id} --reason "..."`,
      ];
    case 'PROMOTED':
    case 'ROLLED_BACK':
      if (dryRun) return ['To have it carried out, start the canary again without --dry-run.'];
      if (!acted) return [`Have the decision carried out: lukhas canary resume ${id}`];
      if (!acted.data.ok)
        return [
          `Mend the hook${acted.data.failed === null ? '' : ` "${clip(acted.data.failed)}"`}, then: lukhas canary retry ${id}`,
        ];
      return state === 'PROMOTED'
        ? ['Nothing is left to be done.']
        : ['Find out what the new version does differently; the mended one is a new canary.'];
    case 'BLOCKED':
      return [
        ...(verdict ? nextSteps(verdict) : []),
        `If you know that it is safe, promote it by hand: lukhas canary promote ${id} --reason "..."`,
      ];
    case 'ABORTED':
      return ['Nothing is left to be done; to try again, start a new canary.'];
    case 'FAILED':
      return ['Mend what the message names, then start a new canary.'];
  }
}

function end({ started, extended, requested }: Facts): string {
  const { windowSeconds } = requested.data.policy;
  return moment(extended?.data.windowEndsAt ?? (started?.data.startedAt ?? 0) + windowSeconds * 1000);
}

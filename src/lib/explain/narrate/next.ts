import { type Verdict, windowBegins } from '../../judge/index.js';
import type { Facts } from '../../readings/index.js';
import { nextSteps } from '../cause.js';
import { clip, moment } from '../words.js';
import { approvalSteps } from './approvals.js';

/** What to do next, one step a line. */
export function nextSentences(facts: Facts, verdict: Verdict | null): string[] {
  return [...steps(facts, verdict), `For the numbers: lukhas why-math ${facts.id}`];
}

function steps(facts: Facts, verdict: Verdict | null): string[] {
  const { id, state, acted, requested } = facts;
  const { dryRun } = requested.data;
  const people = approvalSteps(facts);
  if (people !== null && (facts.forced === null || acted?.data.ok)) return people;
  switch (state) {
    case 'PENDING':
      return [`To start checking it: lukhas canary resume ${id} (a running lukhas serve does it too)`];
    case 'RUNNING':
      return [
        `Wait until ${end(facts)}, when the window ends.`,
        `If no process drives it: lukhas canary resume ${id}`,
        `To stop it: lukhas canary abort ${id} --reason "..."`,
      ];
    case 'PROMOTED':
    case 'ROLLED_BACK':
      if (dryRun) return ['To carry it out, start the canary again without --dry-run.'];
      if (!acted) return [`To carry out the decision: lukhas canary resume ${id}`];
      if (!acted.data.ok)
        return [
          `Fix the hook${acted.data.failed === null ? '' : ` "${clip(acted.data.failed)}"`}, then run: lukhas canary retry ${id}`,
        ];
      return state === 'PROMOTED'
        ? ['Nothing to do.']
        : ['Find out what the new version does differently, fix it, and start a new canary.'];
    case 'BLOCKED':
      return [
        ...(verdict ? nextSteps(verdict) : []),
        `If you know that it is safe, promote it anyway: lukhas canary promote ${id} --reason "..."`,
      ];
    case 'ABORTED':
      return ['Nothing to do. To try again, start a new canary.'];
    case 'FAILED':
      return ['Fix what the message names, then start a new canary.'];
  }
}

function end({ started, extended, requested }: Facts): string {
  const { policy } = requested.data;
  const begins = windowBegins(policy, started?.data.startedAt ?? 0);
  return moment(extended?.data.windowEndsAt ?? begins + policy.windowSeconds * 1000);
}

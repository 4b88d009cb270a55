import type { PlanReport } from '../../judge/index.js';
import { type Facts, type Proposal, propose, type Wishes } from '../../metrics/discover/index.js';
import type { NewFile } from './files.js';
import { nextCommand } from './next.js';
import { proposePolicy } from './policy.js';
import { configText, type Origin, policyText } from './text.js';

/** What `lukhas init` makes of what it found. */
export interface Init {
  files: NewFile[];
  found: Proposal;
  /** What the policy can decide in its window; null: no traffic was measured, or nothing can be judged. */
  plan: PlanReport | null;
  /** The command to run next; null: there is nothing to judge by. */
  next: string | null;
}

export interface InitInput {
  origin: Origin;
  facts: Facts;
  wishes: Wishes;
  /** Requests a second that the canary is to serve, where somebody says so. */
  perSecond: number | null;
}

/** The files, the plan and the next command for what was found. @throws LukhasError USAGE for a wish that cannot be */
export async function initFrom({ origin, facts, wishes, perSecond }: InitInput): Promise<Init> {
  const found = propose(facts, wishes);
  const hasBaseline =
    found.arms.found === null
      ? origin.kind === 'scrape' && origin.baselineUrl !== null
      : found.arms.found.baseline !== null;
  const policy = await proposePolicy({ proposal: found, hasBaseline, scrapeSeconds: facts.scrapeSeconds, perSecond });
  const [config, slo] = [await configText(origin, found, facts.scrapeSeconds), await policyText(policy)];
  return {
    // The policy first: a configuration that names one that is missing would be worse than none.
    files: [
      { name: 'slo.yaml', text: slo },
      { name: 'lukhas.yaml', text: config },
    ],
    found,
    plan: policy.plan,
    next: policy.policy === null ? null : nextCommand(found),
  };
}

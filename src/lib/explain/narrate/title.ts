import type { Facts, InterimVerdict } from '../../readings/index.js';
import { oneLine } from '../words.js';
import { approvalOutcome } from './approvals.js';

/** One sentence without its stop on what became of a canary. */
export function title(facts: Facts, standing: InterimVerdict): string {
  const { modelId, fromGate, toGate, dryRun } = facts.requested.data;
  const way = `from ${fromGate} to ${toGate}`;
  return oneLine(`${modelId} ${outcome(facts, standing, way)}${dryRun ? ' (dry run)' : ''}`);
}

function outcome(facts: Facts, standing: InterimVerdict, way: string): string {
  const { state, acted, overridden, requested } = facts;
  const { dryRun } = requested.data;
  const carried = dryRun || acted?.data.ok;
  const hand = overridden ? ' by hand, against the verdict' : '';
  const but = acted ? ', but a hook failed' : ', but that is not carried out yet';
  const people = approvalOutcome(facts, way);
  if (people !== null) return acted?.data.ok || state === 'BLOCKED' ? people : `${people}${but}`;
  switch (state) {
    case 'PENDING':
      return `wants to pass ${way}: nobody has looked yet`;
    case 'RUNNING':
      return `wants to pass ${way}: ${typeof standing === 'object' && standing?.reason === 'not_attributable' ? 'held, because the baseline shows the same trouble' : 'undecided so far'}`;
    case 'PROMOTED':
      if (dryRun) return `would have been promoted ${way}${hand}`;
      return carried ? `was promoted ${way}${hand}` : `is to be promoted ${way}${hand}${but}`;
    case 'ROLLED_BACK':
      if (dryRun) return `would have been rolled back on its way ${way}`;
      return carried ? `was rolled back on its way ${way}` : `is to be rolled back on its way ${way}${but}`;
    case 'BLOCKED':
      return `was blocked on its way ${way}: nothing proved it safe`;
    case 'ABORTED':
      return `was stopped by hand on its way ${way}, before anything was decided`;
    case 'FAILED':
      return `could not be judged on its way ${way}`;
  }
}

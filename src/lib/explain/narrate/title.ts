import type { Facts, InterimVerdict } from '../../readings/index.js';
import { oneLine } from '../words.js';
import { approvalOutcome } from './approvals.js';

/** One sentence without its full stop on what became of a canary. */
export function title(facts: Facts, interim: InterimVerdict): string {
  const { modelId, fromGate, toGate, dryRun } = facts.requested.data;
  const way = `from ${fromGate} to ${toGate}`;
  return oneLine(`${modelId} ${outcome(facts, interim, way)}${dryRun ? ' (dry run)' : ''}`);
}

function outcome(facts: Facts, interim: InterimVerdict, way: string): string {
  const { state, acted, overridden, requested } = facts;
  const { dryRun } = requested.data;
  const completed = dryRun || acted?.data.ok;
  const hand = overridden ? ' by hand, against the verdict' : '';
  const but = acted ? ', but a hook failed' : ', but this has not been carried out yet';
  const people = approvalOutcome(facts, way);
  if (people !== null) return acted?.data.ok || state === 'BLOCKED' ? people : `${people}${but}`;
  switch (state) {
    case 'PENDING':
      return `is waiting for its first check on its way ${way}`;
    case 'RUNNING':
      return `is being checked on its way ${way}: ${typeof interim === 'object' && interim?.reason === 'not_attributable' ? 'held, because the baseline misses the same target' : 'no decision yet'}`;
    case 'PROMOTED':
      if (dryRun) return `would have been promoted ${way}${hand}`;
      return completed ? `was promoted ${way}${hand}` : `is being promoted ${way}${hand}${but}`;
    case 'ROLLED_BACK':
      if (dryRun) return `would have been rolled back on its way ${way}`;
      return completed ? `was rolled back on its way ${way}` : `is being rolled back on its way ${way}${but}`;
    case 'BLOCKED':
      return `was blocked on its way ${way}: not proven safe`;
    case 'ABORTED':
      return `was aborted on its way ${way}, before a decision`;
    case 'FAILED':
      return `could not be checked on its way ${way}`;
  }
}

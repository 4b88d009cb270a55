import { createHash } from 'node:crypto';
import { LukhasError } from '../../errors.js';
import type { Ledger } from '../../ledger/index.js';
import { canonicalJson } from '../../ledger/tree/index.js';
import { otherObservations } from './judged.js';
import type { PackDecision, PackPlan } from './plan.js';

/** Bytes gathered before they are handed on. */
const CHUNK = 128 * 1024;

/**
 * observations.ndjson: those that verdicts of the window were made of, as far as they are kept, in order of verdict and look.
 * @throws LukhasError LEDGER_CORRUPT when those of a canary are not what its verdict commits to; LEDGER_CONFLICT when
 *   some were pruned since the pack was planned
 */
export async function* observationLines(ledger: Ledger, plan: PackPlan): AsyncGenerator<Buffer> {
  let [parts, size, kept]: [Buffer[], number, number] = [[], 0, 0];
  for (const decision of plan.decisions) {
    if (decision.lastTick === null) continue;
    const { canaryId, lastTick } = decision;
    const around = { before: `{"canaryId":${JSON.stringify(canaryId)},"observation":`, after: '}\n' };
    const judged = createHash('sha256');
    let count = 0;
    for await (const page of ledger.pages.observations(canaryId, lastTick, around)) {
      count += page.count;
      judged.update(page.recorded);
      parts.push(page.bytes);
      size += page.bytes.length;
      if (size < CHUNK) continue;
      yield Buffer.concat(parts);
      [parts, size] = [[], 0];
    }
    requireJudged(decision, count, judged.digest('hex'));
    kept += count;
  }
  if (kept !== plan.observations.kept) {
    throw new LukhasError('LEDGER_CONFLICT', 'Observations were pruned while the pack was being written', {
      suggestions: ['Export again.'],
    });
  }
  yield Buffer.concat(parts);
}

/** None is left to the plan, which knows whether they were gone before. */
function requireJudged(decision: PackDecision, count: number, found: string): void {
  const { observations, digest } = decision;
  if ((count === 0 && observations > 0) || (count === observations && found === digest)) return;
  throw otherObservations(decision, count === observations ? 'not those' : `${count}, not the ${observations}`);
}

/** Each policy under the name of its digest, in the order in which they were first used. */
export async function* policyFiles(ledger: Ledger, plan: PackPlan): AsyncGenerator<{ name: string; text: string }> {
  for (const [digest, seq] of plan.policies) {
    const [event] = await ledger.events({ from: seq, to: seq + 1 });
    const text = event?.kind === 'canary.requested' ? canonicalJson(event.data.policy, 'policy') : '';
    if (createHash('sha256').update(text).digest('hex') !== digest) {
      throw new LukhasError('LEDGER_CORRUPT', `The policy in entry ${seq} of the log is not the one it names`, {
        suggestions: ['See what is damaged with `lukhas verify --db`.'],
      });
    }
    yield { name: `policies/${digest}.json`, text };
  }
}

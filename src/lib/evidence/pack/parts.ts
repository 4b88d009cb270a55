import { createHash } from 'node:crypto';
import { LukhasError } from '../../errors.js';
import type { Ledger } from '../../ledger/index.js';
import { canonicalJson } from '../../ledger/tree/index.js';
import type { PackDecision } from './decisions.js';
import { otherObservations } from './judged.js';
import type { PackPlan } from './plan.js';

/** Bytes collected before they are passed on. */
const CHUNK = 128 * 1024;

/**
 * observations.ndjson: the observations that the window's verdicts judged, except pruned ones, in order of verdict and check.
 * @throws LukhasError LEDGER_CORRUPT when those of a canary do not match what its verdict commits to; LEDGER_CONFLICT when
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
    throw new LukhasError('LEDGER_CONFLICT', 'Observations were pruned while the pack was being written.', {
      suggestions: ['Export again.'],
    });
  }
  yield Buffer.concat(parts);
}

/** When none is found, the plan decides: it knows whether they were pruned before. */
function requireJudged(decision: PackDecision, count: number, found: string): void {
  const { observations, digest } = decision;
  if ((count === 0 && observations > 0) || (count === observations && found === digest)) return;
  const problem =
    count === observations ? 'differ from those it judged' : `are ${count}, but it judged ${observations}`;
  throw otherObservations(decision, problem);
}

/** Each policy, named by its digest, in order of first use. */
export async function* policyFiles(ledger: Ledger, plan: PackPlan): AsyncGenerator<{ name: string; text: string }> {
  for (const [digest, seq] of plan.policies) {
    const [event] = await ledger.events({ from: seq, to: seq + 1 });
    const text = event?.kind === 'canary.requested' ? canonicalJson(event.data.policy, 'policy') : '';
    if (createHash('sha256').update(text).digest('hex') !== digest) {
      throw new LukhasError('LEDGER_CORRUPT', `Entry ${seq}: the policy does not match its policyDigest`, {
        suggestions: ['Run `lukhas verify --db PATH` to see what is damaged.'],
      });
    }
    yield { name: `policies/${digest}.json`, text };
  }
}

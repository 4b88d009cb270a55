import { createHash } from 'node:crypto';
import { LukhasError } from '../errors.js';
import { canonicalJson } from '../ledger/canonical.js';
import type { Ledger } from '../ledger/ledger.js';
import type { PackPlan } from './pack-plan.js';

/** Bytes gathered before they are handed on. */
const CHUNK = 128 * 1024;
const NEWLINE = 0x0a;

/**
 * observations.ndjson: those that verdicts of the window were made of, as far as they are kept, in order of verdict and look.
 * @throws LukhasError LEDGER_CONFLICT when some were pruned since the pack was planned
 */
export async function* observationLines(ledger: Ledger, plan: PackPlan): AsyncGenerator<Buffer> {
  let [parts, size, count]: [Buffer[], number, number] = [[], 0, 0];
  for (const { canaryId, lastTick, observations } of plan.decisions) {
    if (lastTick === null || observations === 0) continue;
    const around = { before: `{"canaryId":${JSON.stringify(canaryId)},"observation":`, after: '}\n' };
    for await (const bytes of ledger.pages.observations(canaryId, lastTick, around)) {
      count += linesIn(bytes);
      parts.push(bytes);
      size += bytes.length;
      if (size < CHUNK) continue;
      yield Buffer.concat(parts);
      [parts, size] = [[], 0];
    }
  }
  if (count !== plan.observations.kept) {
    throw new LukhasError('LEDGER_CONFLICT', 'Observations were pruned while the pack was being written', {
      suggestions: ['Export again.'],
    });
  }
  yield Buffer.concat(parts);
}

function linesIn(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count++;
  return count;
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

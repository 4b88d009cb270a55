import { createHash } from 'node:crypto';
import { canaryEntries } from '../../../src/lib/app/explanations.js';
import { Canaries } from '../../../src/lib/canary/canaries.js';
import { systemClock } from '../../../src/lib/clock.js';
import type { Observation } from '../../../src/lib/judge/observation.js';
import type { Ledger } from '../../../src/lib/ledger/ledger.js';
import type { CanaryRecord } from '../../../src/lib/view/canary.js';

/** All that is recorded of a decided canary, as whoever reads it over HTTP puts it together. */
export async function recordOf(ledger: Ledger, id: string): Promise<CanaryRecord> {
  const entries = await canaryEntries({ ledger, canaries: new Canaries(ledger, systemClock()) }, id, '0.1');
  const observations: Observation[] = [];
  const digest = createHash('sha256');
  for await (const line of ledger.observationLines(id)) {
    observations.push(JSON.parse(line) as Observation);
    digest.update(`${line}\n`);
  }
  return { ...entries, observations, digest: digest.digest('hex') };
}

import type { Verdict } from '../judge/index.js';
import { briefOdds } from './brief.js';
import { deciders } from './deciders.js';
import { count, odds } from './words.js';

/** How sure a decision is, and which error is promised; pure. */
export function howSure(v: Verdict): string {
  switch (v.certainty) {
    case 'certified':
      return v.decision === 'rollback'
        ? `certified: at most ${rarely(v.alpha.rollback)} healthy canaries is rolled back`
        : `certified: at most ${rarely(v.alpha.promote)} canaries that miss a target is promoted`;
    case 'undecided':
      return v.decision === 'continue'
        ? 'undecided: neither safe nor unsafe is proven yet'
        : 'undecided: not proven safe, so not promoted';
    case 'uncertified':
      return `uncertified: ${uncertified(v)}`;
  }
}

/** A decision that promises no error says what it rests on instead. */
function uncertified(v: Verdict): string {
  const { reason } = v;
  const objectives = deciders(v);
  if (reason === 'no_data' || reason === 'source_unreachable')
    return 'the policy rolls back when data is missing (onNoData: rollback)';
  if (reason === 'unavailable' || reason === 'restarts')
    return 'silence is judged by plain limits, so the risk of a wrong decision is unknown';
  const allCertified = objectives.every((o) => o.type === 'reading' || o.promote.certified);
  if (reason === 'failing_readings' || (allCertified && objectives.some((o) => o.type === 'reading')))
    return 'readings have no counts, so the risk of a wrong decision is unknown';
  return 'the policy promotes without proof (onInconclusive: promote)';
}

function rarely(alpha: number): string {
  return `1 in ${count(Math.round(1 / alpha))}`;
}

/** Whether any objective gives evidence that can be counted. */
export function hasEvidence(v: Verdict): boolean {
  return deciders(v).some((o) => o.type !== 'reading' && o.hasData);
}

/** `evidence 83,000:1 against it (rolls back at 100:1)`, for the first screen. */
export function briefEvidence({ evidence: { logE, logThreshold } }: Verdict): string {
  if (logE <= 0) return `no evidence against it (rolls back at ${odds(logThreshold)})`;
  return `evidence ${briefOdds(logE)} against it (rolls back at ${odds(logThreshold)})`;
}

/** `evidence against it 381:1 (rolls back at 100:1)`, in full. */
export function evidenceText({ evidence: { logE, logThreshold } }: Verdict): string {
  return `evidence against it ${odds(logE)} (rolls back at ${odds(logThreshold)})`;
}

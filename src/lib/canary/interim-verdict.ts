import type { Verdict } from '../judge/index.js';
import { report, rule } from '../judge/index.js';
import type { Ledger } from '../ledger/index.js';
import type { Canary } from '../readings/index.js';
import { intactCanary } from './load.js';
import { loadSession } from './session.js';

/**
 * A canary with its verdict: the one that decided it, or how it stands by what was last recorded.
 * @throws LukhasError NOT_FOUND; LEDGER_CORRUPT when an entry does not give the hash beside it
 */
export async function interimVerdict(ledger: Ledger, id: string): Promise<{ canary: Canary; verdict: Verdict | null }> {
  const { canary, judgement } = await loadSession(ledger, id, intactCanary);
  if (canary.verdict || !judgement?.last) return { canary, verdict: canary.verdict };
  const { t } = judgement.last;
  return { canary, verdict: report(judgement, rule(judgement, t), t) };
}

import { certifiesAtMost } from '../clopper-pearson.js';
import type { Policy } from '../policy.js';
import { logE } from '../rate-evidence.js';
import { twoSampleLogE } from '../two-sample.js';
import { effectOf, type RateObjective } from './rate.js';

export function promotionMethod(policy: Policy): 'clopper-pearson' | 'e-process' {
  // A look fixed in advance may use the exact test; one that may come at any time, or again later, may not.
  return policy.promote === 'end' && policy.onInconclusive !== 'extend' ? 'clopper-pearson' : 'e-process';
}

/** Whether it is shown that the canary meets the target, also if what was left out is true. */
export function rateCertified(o: RateObjective, policy: Policy): boolean {
  return certifies(o, policy, 0, 0) && !isOverturned(o, policy);
}

/** Whether what was left out would, if it were true, leave a certified target without a certificate. */
export function isOverturned(o: RateObjective, policy: Policy): boolean {
  const { bad, total } = o.leftOut;
  if (bad <= 0 || !certifies(o, policy, 0, 0)) return false;
  if (o.spec.ratio === null) return !certifies(o, policy, bad, total);
  const { baseline } = o;
  return bad / total > (o.spec.ratio * baseline.bad) / Math.max(1, baseline.total);
}

function certifies(o: RateObjective, policy: Policy, moreBad: number, more: number): boolean {
  if (!o.coverage.hasData || o.canary.total <= 0) return false;
  const alpha = policy.alpha.promote;
  if (o.spec.ratio !== null) return twoSampleLogE(o.comparison) >= Math.log(1 / alpha);
  const { effect } = effectOf(o, policy);
  const [bad, total] = [(o.canary.possiblyBad + moreBad) / effect, (o.canary.total + more) / effect];
  if (promotionMethod(policy) === 'e-process') return logE(-1, bad, total, o.spec.p0) >= Math.log(1 / alpha);
  return certifiesAtMost(bad, total, o.spec.p0, alpha);
}

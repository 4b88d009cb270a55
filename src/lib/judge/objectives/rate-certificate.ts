import { certifiesAtMost } from '../clopper-pearson.js';
import type { Policy } from '../policy.js';
import { logE } from '../rate-evidence.js';
import { twoSampleLogE } from '../two-sample.js';
import { effectOf, notCounted, type RateObjective, type Uncounted } from './rate.js';

export function promotionMethod(policy: Policy): 'clopper-pearson' | 'e-process' {
  // A look fixed in advance may use the exact test; one that may come at any time, or again later, may not.
  return policy.promote === 'end' && policy.onInconclusive !== 'extend' ? 'clopper-pearson' : 'e-process';
}

/** Whether it is shown that the canary meets the target, also if what is not counted is as bad as it may be. */
export function rateCertified(o: RateObjective, policy: Policy): boolean {
  return certifies(o, policy, NOTHING) && !isOverturned(o, policy, notCounted(o));
}

const NOTHING: Uncounted = { bad: 0, total: 0 };

/** Whether `more` would, if it were true, leave a certified target without a certificate. */
export function isOverturned(o: RateObjective, policy: Policy, more: Uncounted): boolean {
  if (more.bad <= 0 || !certifies(o, policy, NOTHING)) return false;
  if (o.spec.ratio === null) return !certifies(o, policy, more);
  const { canary, baseline, leftOut } = o;
  const limit = (o.spec.ratio * baseline.bad) / Math.max(1, baseline.total);
  if (leftOut.bad > limit * leftOut.total) return true;
  return canary.possiblyBad + more.bad > limit * (canary.total + more.total);
}

function certifies(o: RateObjective, policy: Policy, more: Uncounted): boolean {
  if (!o.coverage.hasData || o.canary.total <= 0) return false;
  const alpha = policy.alpha.promote;
  if (o.spec.ratio !== null) return twoSampleLogE(o.comparison) >= Math.log(1 / alpha);
  const { effect } = effectOf(o, policy);
  const [bad, total] = [(o.canary.possiblyBad + more.bad) / effect, (o.canary.total + more.total) / effect];
  if (promotionMethod(policy) === 'e-process') return logE(-1, bad, total, o.spec.p0) >= Math.log(1 / alpha);
  return certifiesAtMost(bad, total, o.spec.p0, alpha);
}

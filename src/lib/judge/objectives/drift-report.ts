import { missingInWords } from '../coverage.js';
import { asymptoticRadius } from '../drift.js';
import { shownPath } from '../evidence-path.js';
import type { Policy } from '../policy.js';
import { shownLogE, significant } from '../rounding.js';
import type { DriftReport } from '../verdict.js';
import { type DriftObjective, driftCertified, driftLogEvidence, upperBound } from './drift.js';
import { estimate, total } from './estimate.js';
import { promotionMethod } from './rate-certificate.js';

/** Everything an explanation shows of drift. */
export function driftReport(o: DriftObjective, policy: Policy, tick: number, bounds = true): DriftReport {
  const e = estimate(o, policy);
  const logE = driftLogEvidence(o);
  const alpha = policy.alpha;
  const sd = e ? e.se * Math.sqrt(o.ticks) : 0;
  return {
    type: 'drift',
    name: o.name,
    target: o.target,
    hasData: o.coverage.hasData,
    missing: missingInWords(o.coverage.missing),
    canaryTotal: total(o.canary),
    baselineTotal: total(o.baseline),
    bins: e?.bins ?? 0,
    ...(o.labels === null ? {} : { by: 'categories' as const }),
    raw: e ? significant(e.raw) : null,
    value: e ? significant(e.value) : null,
    bounds:
      e && bounds
        ? {
            lower: significant(e.value - asymptoticRadius(o.ticks, sd, alpha.rollback, o.bestTick, true)),
            upper: significant(e.value + asymptoticRadius(o.ticks, sd, alpha.promote, o.bestTick, true)),
          }
        : null,
    rollback: { logE: shownLogE(logE), against: logE >= Math.log(1 / alpha.rollback) },
    promote: {
      method: promotionMethod(policy) === 'clopper-pearson' ? 'normal' : 'asymptotic-cs',
      certified: driftCertified(o, policy),
      upper: e && bounds ? significant(upperBound(o, e, policy)) : null,
    },
    design: { effect: policy.designEffect.batchSize, from: policy.designEffect.batchSize > 1 ? 'declared' : 'none' },
    path: shownPath(o.path, o.coverage.hasData ? { tick, logE } : null),
  };
}

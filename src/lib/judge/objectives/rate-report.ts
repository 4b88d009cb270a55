import { clopperPearsonUpper } from '../clopper-pearson.js';
import { missingInWords } from '../coverage.js';
import { shownPath } from '../evidence-path.js';
import { requestsNeeded } from '../planning.js';
import type { Policy } from '../policy.js';
import { quantileWithBucket } from '../quantile.js';
import { confidenceSequence, logE } from '../rate-evidence.js';
import { shownLogE, significant, significantOrNull } from '../rounding.js';
import { mixtureLogE, onsetBet } from '../start-mixture.js';
import { twoSampleLogE } from '../two-sample.js';
import type { LatencyReport, RateReport } from '../verdict.js';
import { attributable, effectOf, notCounted, type RateObjective, rateLogE, type Uncounted } from './rate.js';
import { isOverturned, promotionMethod, rateCertified } from './rate-certificate.js';

/**
 * Everything an explanation shows of a rate objective.
 * @param bounds false leaves out what is searched for numerically (bounds, what is needed), which costs most of a report
 */
export function rateReport(
  o: RateObjective,
  policy: Policy,
  elapsedSeconds: number,
  tick: number,
  bounds = true,
): RateReport {
  const alpha = policy.alpha;
  const logThreshold = Math.log(1 / alpha.rollback);
  const { bad, possiblyBad, total } = o.canary;
  const design = effectOf(o, policy);
  const evidence = rateLogE(o);
  const absolute = o.spec.ratio === null;
  const method = absolute ? promotionMethod(policy) : 'e-process';
  const certified = rateCertified(o, policy);
  const has = total > 0;
  const bounded = has && bounds;
  const n = total / design.effect;
  const lower = bounded ? confidenceSequence(bad / design.effect, n, alpha.rollback).lower : 0;
  const upper = bounded ? confidenceSequence(possiblyBad / design.effect, n, alpha.promote).upper : 1;
  return {
    type: 'rate',
    name: o.spec.name,
    signal: o.spec.signal,
    ...(o.spec.histogram ? { histogram: o.spec.histogram } : {}),
    target: o.spec.target,
    p0: o.spec.p0,
    relative: !absolute,
    hasData: o.coverage.hasData,
    missing: missingInWords(o.coverage.missing),
    bad: significant(bad),
    total: significant(total),
    rate: has ? significant(bad / total) : null,
    bounds: bounded ? { lower: significant(lower), upper: significant(upper) } : null,
    rollback: { logE: shownLogE(evidence), against: evidence >= logThreshold },
    promote: {
      method,
      certified,
      upper:
        bounded && method === 'clopper-pearson'
          ? significant(clopperPearsonUpper(possiblyBad / design.effect, total / design.effect, alpha.promote))
          : bounded && absolute
            ? significant(upper)
            : null,
      logE: shownLogE(absolute ? logE(-1, possiblyBad / design.effect, n, o.spec.p0) : twoSampleLogE(o.comparison)),
    },
    design: { effect: significant(design.effect), from: design.from },
    baseline: baselineReport(o),
    attributable: attributable(o, logThreshold),
    latency: latencyReport(o),
    onset: onset(o),
    needed: bounds ? needed(o, policy, design.effect, elapsedSeconds, certified) : null,
    ...uncountedReports(o, policy),
    path: shownPath(o.path, o.coverage.hasData ? { tick, logE: evidence } : null),
  };
}

function uncountedReports(o: RateObjective, policy: Policy): Pick<RateReport, 'leftOut' | 'waiting'> {
  const { leftOut, undecided } = o;
  const shown = ({ bad, total }: Uncounted) => ({ bad: significant(bad), total: significant(total) });
  const isLeft = isOverturned(o, policy, leftOut);
  return {
    ...(leftOut.total > 0 ? { leftOut: { ...shown(leftOut), overturns: isLeft } } : {}),
    ...(undecided.bad > 0
      ? { waiting: { ...shown(undecided), overturns: !isLeft && isOverturned(o, policy, notCounted(o)) } }
      : {}),
  };
}

function baselineReport(o: RateObjective): RateReport['baseline'] {
  const { bad, total } = o.baseline;
  if (total <= 0) return null;
  const rate = bad / total;
  const ratio = rate > 0 && o.canary.total > 0 ? o.canary.bad / o.canary.total / rate : null;
  return {
    bad: significant(bad),
    total: significant(total),
    rate: significant(rate),
    ratio: significantOrNull(ratio),
    logE: shownLogE(mixtureLogE(o.baselineMixture)),
  };
}

function latencyReport(o: RateObjective): LatencyReport | null {
  if (!o.histogram || !o.buckets) return null;
  const quantile = significant(1 - o.spec.p0);
  const q = quantileWithBucket(quantile, o.histogram.bounds, o.histogram.counts);
  return {
    quantile,
    ...o.buckets,
    value: significantOrNull(q.value),
    bucket:
      q.upper === null || !Number.isFinite(q.upper)
        ? null
        : { lower: significantOrNull(q.lower), upper: significant(q.upper) },
    hung: o.hung.counted,
  };
}

function onset(o: RateObjective): RateReport['onset'] {
  const bet = onsetBet(o.mixture);
  const found = bet === null ? null : o.onsets[bet];
  if (!found) return null;
  const [bad, total] = [o.canary.bad - found.bad, o.canary.total - found.total];
  return { tick: found.tick, at: found.at, bad: significant(bad), total: significant(total) };
}

function needed(
  o: RateObjective,
  policy: Policy,
  effect: number,
  elapsedSeconds: number,
  certified: boolean,
): RateReport['needed'] {
  if (certified || o.spec.ratio !== null || o.canary.total <= 0) return null;
  const rate = o.canary.possiblyBad / o.canary.total;
  const requests = requestsNeeded(rate, o.spec.p0, policy.alpha.promote, promotionMethod(policy), effect);
  if (requests === null) return null;
  const more = Math.max(0, Math.ceil(requests - o.canary.total));
  const perSecond = elapsedSeconds > 0 ? o.canary.total / elapsedSeconds : 0;
  return { requests: more, seconds: perSecond > 0 ? significantOrNull(more / perSecond) : null };
}

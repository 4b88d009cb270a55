import type { DriftReport, ObjectiveReport, RateReport, ReadingReport, Verdict } from '../judge/index.js';
import { briefPercent } from './brief.js';
import { deciders } from './deciders.js';
import { label } from './objective-sentences.js';
import { above as aboveLimit, beyond, counted, drifted, hasNoBucketAtLimit, inUnit, sidesOf } from './rate-facts.js';
import { count, percent, plural, seconds } from './words.js';

/** Why a canary is blocked, in words that can follow a colon, and what its reader can do about just that. */
export interface Blocked {
  cause: string;
  remedies: string[];
}

/** Why the evidence on an objective suffices neither way; pure. */
export function undecided(o: ObjectiveReport, verdict: Verdict): Blocked {
  if (o.type === 'reading') return reading(o);
  if (o.type === 'drift') return drift(o);
  if (o.leftOut?.overturns) return leftOut(o, o.leftOut);
  if (o.waiting?.overturns) return waiting(o, o.waiting);
  return o.relative ? ratio(o) : rate(o, verdict);
}

function rate(o: RateReport, verdict: Verdict): Blocked {
  if (o.total <= 0 || o.rate === null)
    return {
      cause: `${o.name}: the canary ${o.histogram ? `had no ${o.histogram.name} values` : 'served no requests'}`,
      remedies: ['Send requests to the canary, or check the labels that select its series, then start it again.'],
    };
  if (o.needed) return traffic(mostDemanding(o, verdict), verdict);
  const buckets = o.signal === 'latency' && o.rate < o.p0 ? unclearBuckets(o) : null;
  if (buckets) return buckets;
  const numbers = `${count(o.bad)} of ${plural(o.total, counted(o))} ${did(o)} (${briefPercent(o.rate, o.p0)}, limit ${percent(o.p0)})`;
  if (o.rate >= o.p0)
    return {
      cause: `${o.name} is above its limit, but it is not proven: ${numbers}`,
      remedies: [
        `Find out why ${o.histogram ? `${o.name} is high` : `requests ${o.signal === 'errors' ? 'fail' : 'are slow'}`}; a longer window only settles whether it was chance.`,
      ],
    };
  return {
    cause: `${o.name} is too close to its limit to certify: ${numbers}`,
    remedies: [`Improve the canary or raise ${key(o)}; more traffic does not help this close to the limit.`],
  };
}

type Short = RateReport & { needed: NonNullable<RateReport['needed']> };

/** Of the objectives that lack traffic the one that needs most: what suffices for it suffices for all. */
function mostDemanding(decided: RateReport, verdict: Verdict): Short {
  const short = deciders(verdict).filter((o): o is Short => o.type === 'rate' && !o.relative && o.needed != null);
  return short.reduce((most, o) => (o.needed.requests > most.needed.requests ? o : most), decided as Short);
}

function traffic(o: Short, verdict: Verdict): Blocked {
  const { needed } = o;
  const all = o.total + needed.requests;
  const cause = `not enough traffic: ${o.name} needs ${count(all)} ${counted(o)}s, this window saw ${count(o.total)}`;
  if (needed.requests === 0)
    return {
      cause: `${o.name} is just short of proof after ${plural(o.total, counted(o))}`,
      remedies: ['Make the window a little longer, then start the canary again.'],
    };
  const longer =
    needed.seconds === null
      ? ''
      : `, or make the window ${seconds(verdict.elapsedSeconds + needed.seconds)} long at this rate`;
  return {
    cause,
    remedies: [`Send about ${count(needed.requests)} more requests${longer}. lukhas plan computes both for a policy.`],
  };
}

/** What cannot be believed could be what happened. */
function leftOut(o: RateReport, { bad, total }: NonNullable<RateReport['leftOut']>): Blocked {
  return {
    cause: `${o.name} is met by what was counted, but ${plural(total, counted(o))} were left out, as they may be of another process or of an earlier time, and ${count(bad)} of them ${did(o)}`,
    remedies: [
      'Expose process_start_time_seconds, so that a burst of requests is distinguished from another process, then start the canary again.',
    ],
  };
}

const SELECT =
  'Where a check notes a label that looks like a failure, select it in signals.errors, or leave such requests out of signals.requests.';

/** What has not been told yet could overturn what has. */
function waiting(o: RateReport, { bad, total }: NonNullable<RateReport['waiting']>): Blocked {
  const slow = o.histogram ? `may be ${beyond(o)}` : `may have taken longer than ${inUnit(o, o.target)}`;
  const them = o.signal === 'errors' ? 'may be running or have failed' : slow;
  return {
    cause: `${o.name} is met by what was counted, but ${plural(total, `further ${counted(o)}`)} could not be counted yet, and ${count(bad)} of them ${them}`,
    remedies: [
      ...(o.signal === 'errors' ? [SELECT] : []),
      o.signal === 'errors'
        ? 'See that each request that ends, failed or not, lowers the gauge of requests in flight; or leave inflight out of signals.'
        : 'Expose process_start_time_seconds, or make the window a check longer.',
    ],
  };
}

/** The limit lies where the buckets cannot tell slow requests from fast ones. */
export function unclearBuckets(o: RateReport): Blocked | null {
  const { latency, name, target } = o;
  if (!latency || latency.exact) return null;
  const limit = inUnit(o, target);
  const below = latency.possiblyAbove;
  const add = `Add a bucket at ${limit} to the histogram`;
  if (hasNoBucketAtLimit(o)) {
    const highest = below === null ? 'there is none at all' : `the highest ends at ${inUnit(o, below)}`;
    return {
      cause: `${name}: no bucket ends at or above the limit ${limit} (${highest}), so ${o.histogram ? `values above it` : 'slow requests'} cannot be counted`,
      remedies: [`${add}${below === null ? '' : `, or set ${name} to ${below} or less`}.`],
    };
  }
  const above = latency.surelyAbove ?? target;
  const between =
    below === null
      ? `below the lowest bucket bound, ${inUnit(o, above)}`
      : `between the bucket bounds ${below} and ${inUnit(o, above)}`;
  const to = below === null ? `${above}` : `${below} or ${above}`;
  if (o.histogram?.strict && above === target)
    return {
      cause: `${name}: the bucket that ends at ${limit} also holds values of exactly ${limit}, which ${name} < ${limit} does not allow, and too many ${counted(o)}s are in it`,
      remedies: [
        `Write ${name} <= ${limit} if they are allowed${below === null ? '' : `, or <= ${below}`}; or add a bucket just below ${limit}.`,
      ],
    };
  return {
    cause: `${name}: the limit ${limit} lies ${between}, and too many ${counted(o)}s are in that bucket`,
    remedies: [`${add}, or set ${name} to ${to}.`],
  };
}

function did(o: RateReport): string {
  return o.signal === 'errors' ? 'failed' : aboveLimit(o);
}

function key({ name }: RateReport): string {
  return name === 'error_rate' ? 'max_error_rate' : name;
}

function ratio(o: RateReport): Blocked {
  const { baseline: b } = o;
  const { bad } = sidesOf(o);
  if (!b)
    return {
      cause: `${o.name}: no baseline was measured to compare with`,
      remedies: [BASELINE],
    };
  const absolute =
    o.signal === 'errors'
      ? 'Limit the error rate itself: targets.max_error_rate instead of relative.max_error_ratio'
      : 'Leave out relative.max_slow_ratio: the latency target limits slow requests already';
  if (b.bad <= 0 && o.bad <= 0)
    return {
      cause: `${o.name}: no ${bad} on either side (0 of ${count(o.total)} and 0 of ${count(b.total)}), so there is no ratio to prove`,
      remedies: [`${absolute}. More traffic without ${bad} does not help.`],
    };
  const numbers = `${count(o.bad)} of ${count(o.total)} requests of the canary, ${count(b.bad)} of ${count(b.total)} of the baseline`;
  if (b.ratio === null)
    return {
      cause: `${o.name}: the baseline has no ${bad} to compare with (${bad}: ${numbers})`,
      remedies: [`Find out why requests ${did({ ...o, target: o.target })} on the canary only. ${absolute}.`],
    };
  const times = `${Number(b.ratio.toPrecision(3))}x the baseline's rate, limit ${o.target}x`;
  if (b.ratio > o.target)
    return {
      cause: `${o.name} is above its limit, but it is not proven: ${times} (${bad}: ${numbers})`,
      remedies: [`Find out why the canary has more ${bad}; a longer window only settles whether it was chance.`],
    };
  return {
    cause: `not enough ${bad} to prove ${o.name}: ${times} (${bad}: ${numbers})`,
    remedies: [`Send more traffic or make the window longer. ${absolute}, if ${bad} are this rare.`],
  };
}

const LEAST_SCORES = 5;

/** What to do where a baseline is needed and none was seen. */
export const BASELINE =
  'Name the baseline: --baseline-url URL, or the labels of its series in lukhas.yaml (docs/metrics.md).';

function drift(o: DriftReport): Blocked {
  const scores = `${count(o.canaryTotal)} of the canary, ${count(o.baselineTotal)} of the baseline`;
  if (o.value === null)
    return {
      cause: `drift: too few ${drifted(o)}s (${scores}); each side needs ${LEAST_SCORES} for each ${o.by === 'categories' ? 'category' : 'bucket'} in use`,
      remedies: ['Send more traffic or make the window longer.'],
    };
  const value = Math.max(0, o.value).toFixed(3);
  if (o.value > o.target)
    return {
      cause: `drift is above its limit, but it is not proven: PSI ${value}, limit ${o.target} (${drifted(o)}s: ${scores})`,
      remedies: [`Find out why the ${drifted(o)}s differ; a longer window only settles whether it was chance.`],
    };
  const most = o.promote.upper === null ? '' : `, but may be up to ${o.promote.upper.toFixed(3)}`;
  return {
    cause: `not enough ${drifted(o)}s to certify drift: PSI ${value}${most} (limit ${o.target}; ${drifted(o)}s: ${scores})`,
    remedies: ['Send more traffic to both versions or make the window longer.'],
  };
}

function reading(o: ReadingReport): Blocked {
  const all = o.readings + o.missed;
  if (o.readings === 0)
    return {
      cause: `${label(o)}: there was no reading`,
      remedies: [`Check the query or field behind ${o.name}.`],
    };
  if (o.missed > all * (o.allowed?.missing ?? 0))
    return {
      cause: `${label(o)}: ${count(o.missed)} of ${plural(all, 'reading')} ${o.missed === 1 ? 'is' : 'are'} missing; ${o.allowed?.missing ? `at most ${percent(o.allowed.missing)} may be` : 'none may be'}`,
      remedies: [
        `Make ${o.name} give a number at every check, also without traffic (0/0 is NaN, which counts as missing). lukhas why-math shows which checks lack it.`,
      ],
    };
  if (o.consecutiveFailing === 0 && o.failing > 0)
    return {
      cause: `${label(o)}: ${count(o.failing)} of ${plural(o.readings, 'reading')} failed (${percent(o.failing / o.readings)}); ${o.allowed?.failing === 0 ? 'none' : `at most ${percent(o.allowed?.failing ?? 1)}`} may`,
      remedies: [`Find out why ${o.name} keeps missing its limit. If so many misses are normal, raise maxFailures.`],
    };
  return {
    cause: `${label(o)}: the newest reading fails (${o.last})`,
    remedies: [`Find out why ${o.name} misses its limit at the end of the window.`],
  };
}

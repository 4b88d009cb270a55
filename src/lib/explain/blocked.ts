import type { Verdict } from '../judge/index.js';
import { deciders } from './deciders.js';
import { isEnd } from './objective-cells.js';
import { idleEnd, restarts, unavailable } from './silences.js';
import { BASELINE, type Blocked, unclearBuckets, undecided } from './undecided.js';
import { clip, percent, plural, seconds } from './words.js';

/**
 * Why a verdict neither promotes nor rolls back, and what to do about just that; null for a verdict that does, and while
 * nothing stands in the way. Pure.
 */
export function blocked(v: Verdict): Blocked | null {
  switch (v.reason) {
    case 'inconclusive': {
      const o = v.objectives.find((x) => x.name === v.decidedBy);
      return o ? undecided(o, v) : { cause: 'the evidence suffices neither way', remedies: [] };
    }
    case 'coverage':
      return (inputEnded(v) && v.savedSeconds > 0 ? null : idleEnd(v)) ?? coverage(v);
    case 'unavailable':
      return unavailable(v);
    case 'restarts':
      return restarts(v);
    case 'no_bucket': {
      const o = v.objectives.find((x) => x.name === v.decidedBy);
      return o?.type === 'rate' ? unclearBuckets(o) : null;
    }
    case 'unstable_counters':
      return {
        cause: `unstable counters: they were reset ${plural(v.ticks.resets, 'time')} in ${plural(v.ticks.looked, 'check')}, so they are not trusted`,
        remedies: [
          'If the canary keeps restarting, find out why.',
          'Otherwise read each process by itself, through Prometheus or by its own URL, not through a load balancer.',
        ],
      };
    case 'no_baseline':
      return noBaseline(v);
    case 'not_attributable':
      return {
        cause: `${v.decidedBy ?? missedByBoth(v)} is too high on the baseline as well, so this canary is not to blame`,
        remedies: ['Wait until the incident that hits both versions is over, then start the canary again.'],
      };
    case 'no_source':
      return {
        cause: 'no metrics source is configured',
        remedies: ['Set PROM_URL, or pass --source scrape --canary-url URL, or --source ndjson --input FILE.'],
      };
    case 'no_data':
      return inputEnded(v)
        ? { cause: 'the input ended before its first measurement', remedies: [WHOLE_WINDOW] }
        : silent(v);
    case 'source_unreachable':
      return inputEnded(v)
        ? { cause: 'the input ended before its first measurement', remedies: [WHOLE_WINDOW] }
        : unreachable(v);
    default:
      return null;
  }
}

const WHOLE_WINDOW = 'Provide observations of the whole window, or make windowSeconds shorter.';

/** Observations from a file or stream have come to their end. */
function inputEnded(v: Verdict): boolean {
  return v.objectives.every((o) => o.missing !== null && isEnd(o.missing));
}

function missedByBoth(v: Verdict): string {
  const found = deciders(v).find((o) => o.type === 'rate' && o.rollback.against && o.attributable === 'no');
  return found?.name ?? 'a target';
}

function coverage(v: Verdict): Blocked {
  const covered = `readings cover only ${percent(v.coverage)} of the window`;
  if (inputEnded(v)) return tooShort(v, covered);
  const { gaps, looked, withData, resets } = v.ticks;
  const causes: string[] = [];
  const remedies: string[] = [];
  if (gaps > 0) {
    causes.push(`${plural(gaps, 'check')} did not take place`);
    remedies.push('Keep lukhas running for the whole window: checks are missed while no process drives the canary.');
  }
  if (withData < looked) {
    causes.push(`${looked - withData} of ${plural(looked, 'check')} had no data`);
    remedies.push('Find out why the metrics were missing, then start the canary again.');
  }
  if (resets > 0) {
    causes.push(plural(resets, 'counter reset'));
    remedies.push('Find out whether the canary restarted: what a counter had before a reset is lost.');
  }
  if (causes.length === 0) {
    causes.push('for part of it there were no requests, or a metric was missing');
    remedies.push('Send requests for the whole window, and check that every metric of the policy is there throughout.');
  }
  return { cause: `${covered}: ${causes.join(', ')}`, remedies };
}

/** A recording as long as the window alone is too short where a warm-up comes before it. */
function tooShort({ elapsedSeconds, savedSeconds, warmup }: Verdict, covered: string): Blocked {
  const ended = `the input ended after ${seconds(elapsedSeconds)}`;
  if (warmup === undefined) return { cause: `${ended}: ${covered}`, remedies: [WHOLE_WINDOW] };
  const whole = seconds(warmup.seconds + elapsedSeconds + savedSeconds);
  const remedy = `The window begins after the warm-up: provide observations of both (${whole}), or set windowSeconds to ${Math.floor(elapsedSeconds)}.`;
  return {
    cause: `${ended} of the window, which began after a warm-up of ${seconds(warmup.seconds)}: ${covered}`,
    remedies: [remedy],
  };
}

function noBaseline(v: Verdict): Blocked {
  const seen = deciders(v).some((o) => o.type === 'rate' && o.baseline !== null);
  const remedy = seen ? 'Keep the baseline serving and measured for the whole window.' : BASELINE;
  return {
    cause: `the policy requires a baseline, and ${seen ? 'it was measured for too little of the window' : 'none was measured'}`,
    remedies: [`${remedy} Or set baseline: auto in the policy to judge without one.`],
  };
}

/** Objectives by why they have no data: `error_rate: absent: model_requests_total`. */
function statesText(v: Verdict): string {
  const names = new Map<string, string[]>();
  for (const [name, state] of Object.entries(v.noData?.states ?? {}))
    names.set(state, [...(names.get(state) ?? []), name]);
  return [...names].map(([state, of]) => `${of.join(', ')} ${clip(state, 120)}`).join('; ');
}

function silent(v: Verdict): Blocked {
  const states = statesText(v);
  const why = states === '' ? '' : ` (${states})`;
  const quiet = new Set(Object.keys(v.noData?.states ?? {}));
  const spoke = v.objectives.some((o) => o.hasData && quiet.has(o.name));
  const time = seconds(v.noData?.seconds ?? 0);
  const cause = spoke
    ? `no data for the last ${time}${why}`
    : v.noData?.total === false || v.ticks.withData > 0
      ? `some metrics never had data${why}`
      : `no metrics for ${time}${why}`;
  return { cause, remedies: [spoke ? fellSilent(v) : neverThere(v)] };
}

/** What to do about counters that are there and cannot be believed; null where a signal is missing for another reason. */
function notBelieved(states: readonly string[]): string | null {
  if (states.length === 0) return null;
  if (states.every((s) => s.startsWith('unstable')))
    return 'Read each process by itself, through Prometheus or by its own URL, not through a load balancer, then start the canary again.';
  if (states.every((s) => s.startsWith('implausible')))
    return 'Check that the selectors of the source match the counters of this one service (docs/metrics.md), then start the canary again.';
  return null;
}

function fellSilent({ noData }: Verdict): string {
  const states = Object.values(noData?.states ?? {});
  const doubt = notBelieved(states);
  if (doubt !== null) return doubt;
  if (states.every((s) => s.startsWith('unchanged') || s.startsWith('stale')))
    return 'The metrics stopped changing: check that the canary still runs and is still scraped, then start it again.';
  return 'The metrics were there before: check whether the canary crashed or stopped exporting them, then start it again.';
}

function neverThere({ noData }: Verdict): string {
  const states = Object.values(noData?.states ?? {});
  const doubt = notBelieved(states);
  if (doubt !== null) return doubt;
  if (states.length > 0 && states.every((s) => s.startsWith('invalid')))
    return 'The metrics are there, but not usable as they are: see docs/metrics.md, then start the canary again.';
  return 'Check the metric names and labels of the source, or the fields of the input (docs/metrics.md), then start the canary again.';
}

/** What the source answered, once for all objectives that are read from it. */
function sourceDetails({ noData }: Verdict): string {
  const details = Object.values(noData?.states ?? {}).map((state) =>
    state.replace(/^(?:unreachable|refused)(?:: )?/, '').replace(/^(?:canary|baseline): /, ''),
  );
  return [...new Set(details)]
    .filter((detail) => detail !== '')
    .map((detail) => clip(detail, 160))
    .join('; ');
}

function unreachable(v: Verdict): Blocked {
  const details = sourceDetails(v);
  const refused = v.objectives.some((o) => o.missing?.startsWith('refused'));
  const what = refused ? 'the metrics source refused access' : 'the metrics source was unreachable';
  const spoke = v.objectives.some((o) => o.hasData);
  const remedy = refused
    ? 'Check the credentials of the source (docs/configuration.md), then start the canary again.'
    : spoke
      ? 'It answered before: check whether the canary, or its Prometheus, crashed, then start the canary again.'
      : 'Check that the source runs and that its URL is right, then start the canary again.';
  return {
    cause: `${what} for ${seconds(v.noData?.seconds ?? 0)}${details === '' ? '' : ` (${details})`}`,
    remedies: [remedy],
  };
}

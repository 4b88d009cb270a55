import type { ObjectiveReport, Verdict } from '../../judge/index.js';
import { type Facts, hasOwnTimes, type InterimVerdict } from '../../readings/index.js';
import { label } from '../objective-sentences.js';
import { silenceSentences } from '../silences.js';
import { assumptionText, count, plural, seconds, timeOn } from '../words.js';
import { stateWords } from './course.js';

/** What was missing when it was decided, and what was assumed. */
export function gapSentences(facts: Facts, interim: InterimVerdict, verdict: Verdict | null): string[] {
  const day = Date.parse(facts.requested.ts);
  const list = facts.silences.map(({ engaged, released }) => {
    const { since, total, states } = engaged.data;
    const end = released ? `for ${seconds(released.data.seconds)}` : 'and did not come back';
    return `From ${timeOn(since, day)} on ${total ? 'all data' : 'data'} was missing${stateWords(states)} ${end}.`;
  });
  if (typeof interim === 'string') list.push('The observations are not available.');
  if (!verdict) return list;
  // The times of an input are on other days than its reading.
  list.push(...silenceSentences(verdict, hasOwnTimes(facts) ? verdict.startedAt : day));
  return [...list, ...checkGaps(verdict), ...verdict.objectives.flatMap(objectiveGaps), ...assumed(verdict)];
}

function checkGaps({ ticks, silence }: Verdict): string[] {
  const { gaps, looked, withData, resets } = ticks;
  const silent = looked - withData;
  return [
    ...(gaps > 0 ? [`${plural(gaps, 'check')} did not take place: no process drove the canary then.`] : []),
    ...(silent > 0 ? [`${plural(silent, 'check')} had no data.`] : []),
    ...(resets > 0 && !silence
      ? [
          `Counters were reset ${plural(resets, 'time')}, for example by a restart; the counts just before each reset are lost.`,
        ]
      : []),
    ...fallen(ticks, silence),
  ];
}

/** Falls that were no restarts; restarts are told with what was silent. */
function fallen({ resets }: Verdict['ticks'], silence: Verdict['silence']): string[] {
  if (silence?.restarts.from !== 'processes') return [];
  const falls = resets - silence.restarts.canary - silence.restarts.baseline;
  if (falls <= 0) return [];
  return [
    `Counters fell ${plural(falls, 'time')} without a known restart, for example because one worker of a cluster ended: what was counted at ${falls === 1 ? 'that check' : 'those checks'} is left out.`,
  ];
}

function objectiveGaps(o: ObjectiveReport): string[] {
  const name = label(o);
  const list: string[] = [];
  if (o.hasData && o.type === 'reading') list.push(`${name} is judged by readings without counts (uncertified).`);
  if (o.type === 'reading' && o.missed > 0) list.push(`${name}: ${plural(o.missed, 'check')} without a reading.`);
  if (o.type === 'rate' && o.hasData && o.baseline === null && o.rollback.against)
    list.push(`${name}: there is no baseline to tell whether the other version has the same problem.`);
  if (o.type === 'rate' && o.latency && o.latency.hung > 0)
    list.push(
      `${name}: ${plural(o.latency.hung, 'request')} still in flight ${o.latency.hung === 1 ? 'counts' : 'count'} as slow.`,
    );
  if (o.type === 'rate' && !o.rollback.against && !o.promote.certified && o.needed && o.needed.requests > 0) {
    const { requests, seconds: s } = o.needed;
    const when = s === null ? '' : ` (${seconds(s)} at this rate)`;
    list.push(`${name}: about ${count(requests)} more requests${when} would certify it.`);
  }
  return list;
}

function assumed({ assumptions }: Verdict): string[] {
  return assumptions.length === 0 ? [] : [`Assumed: ${assumptions.map(assumptionText).join('; ')}.`];
}

import type { ObjectiveReport, Verdict } from '../../judge/index.js';
import type { Facts, InterimVerdict } from '../../readings/index.js';
import { label } from '../objective-sentences.js';
import { count, plural, seconds, timeOn } from '../words.js';
import { stateWords } from './course.js';

/** What was not known when it was decided, and what was assumed. */
export function gapSentences(facts: Facts, standing: InterimVerdict, verdict: Verdict | null): string[] {
  const day = Date.parse(facts.requested.ts);
  const list = facts.silences.map(({ engaged, released }) => {
    const { since, total, states } = engaged.data;
    const end = released ? `for ${seconds(released.data.seconds)}` : 'and had not come back by the end';
    return `From ${timeOn(since, day)} on ${total ? 'all readings' : 'readings'} were missing${stateWords(states)} ${end}.`;
  });
  if (typeof standing === 'string') list.push('The readings themselves are not at hand.');
  if (!verdict) return list;
  return [...list, ...lookGaps(verdict), ...verdict.objectives.flatMap(objectiveGaps), ...assumed(verdict)];
}

function lookGaps({ ticks }: Verdict): string[] {
  const { gaps, looked, withData, resets } = ticks;
  const silent = looked - withData;
  return [
    ...(gaps > 0 ? [`${plural(gaps, 'look')} that should have been taken ${gaps === 1 ? 'was' : 'were'} not.`] : []),
    ...(silent > 0 ? [`${plural(silent, 'look')} brought no data.`] : []),
    ...(resets > 0
      ? [`Counters began anew ${plural(resets, 'time')}, as after a restart; what was counted just before is lost.`]
      : []),
  ];
}

function objectiveGaps(o: ObjectiveReport): string[] {
  const name = label(o);
  const list: string[] = [];
  if (o.hasData && o.type === 'reading')
    list.push(`${name} is judged by readings without counts (uncertified): nobody can promise how often that errs.`);
  if (o.type === 'reading' && o.missed > 0) list.push(`${name}: ${plural(o.missed, 'look')} without a reading.`);
  if (o.type === 'rate' && o.hasData && o.baseline === null && o.rollback.against)
    list.push(`${name}: without a baseline it cannot be known whether others had the same trouble.`);
  if (o.type === 'rate' && o.latency && o.latency.hung > 0)
    list.push(
      `${name}: ${plural(o.latency.hung, 'request')} still in flight ${o.latency.hung === 1 ? 'is' : 'are'} counted as slow.`,
    );
  if (o.type === 'rate' && !o.rollback.against && !o.promote.certified && o.needed && o.needed.requests > 0) {
    const { requests, seconds: s } = o.needed;
    const when = s === null ? '' : `, ${seconds(s)} at this rate`;
    list.push(`${name}: about ${count(requests)} more requests would be needed to certify it${when}.`);
  }
  return list;
}

function assumed({ assumptions }: Verdict): string[] {
  return assumptions.length === 0 ? [] : [`Assumed: ${assumptions.join('; ')}.`];
}

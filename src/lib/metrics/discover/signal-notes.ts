import type { Matcher } from '../promql/index.js';
import type { Unit } from '../signals/index.js';
import type { ArmsFound } from './arms.js';
import type { Choice } from './choose.js';
import { type SeriesFact, valuesOf } from './facts.js';
import { type CounterFamily, type Families, type HistogramFamily, isTime } from './families.js';
import { pickText } from './picks.js';

/** A signal as it is proposed, with what a reader should know of it; `text` null: not found, and the notes say what to write. */
export interface ProposedSignal {
  text: string | null;
  notes: string[];
}

const MOST_LISTED = 8;

export function requestsSignal(
  { requests, path, otherRequests }: Choice,
  series: readonly SeriesFact[],
): ProposedSignal {
  if (requests.length === 0)
    return { text: null, notes: ['no counter of requests found; write e.g. requests: http_requests_total'] };
  const notes = [...pathNotes(series, path), ...alsoFound(otherRequests, 'counters of requests')];
  return { text: requests.map(pickText).join(' + '), notes };
}

/** @param lacking a counter of failures that does not carry the label of the versions */
export function errorsSignal(
  choice: Choice,
  lacking: { name: string; label: string } | null,
): ProposedSignal & { absentZero: boolean } {
  const { failed, failedBy, absentZero, preset } = choice;
  if (failed !== null) {
    const text = failed.map(pickText).join(' + ');
    const notes = failedBy === null ? [] : [seenText(failedBy.seen, failedBy.label)];
    if (failedBy !== null && failedBy.doubt !== null && preset === null) notes.push(`check this: ${failedBy.doubt}`);
    if (absentZero) notes.push('a counter of its own, which may appear with the first failure: until then it is zero');
    return { text, absentZero, notes };
  }
  if (lacking !== null) {
    const notes = [
      `${lacking.name} has no label ${lacking.label}, so failures cannot be separated by version: max_error_rate is not judged`,
    ];
    return { text: null, absentZero: false, notes };
  }
  const name = choice.requests[0]?.name ?? 'requests_total';
  const notes =
    preset === null
      ? [
          'no label or counter of failures found: max_error_rate is not judged',
          `when there is one, write e.g. errors: '${name}{status=~"5.."}' or errors: { count: failures_total, absent: zero }`,
        ]
      : [`${preset.failures.words} max_error_rate is not judged`];
  return { text: null, absentZero: false, notes };
}

/** @param lacking a histogram that does not carry the label of the versions */
export function latencySignal(
  choice: Choice,
  summaries: readonly string[],
  lacking: { name: string; label: string } | null,
): ProposedSignal & { unit: Unit } {
  const { latency, otherLatencies, path } = choice;
  if (latency === null) {
    const notes = ['no histogram of latencies found: latency is not judged'];
    if (lacking !== null)
      notes[0] = `${lacking.name} has no label ${lacking.label}, so latency cannot be separated by version: it is not judged`;
    const times = summaries.filter((name) => isTime(name) && !RUNTIME.test(name));
    if (times.length > 0)
      notes[0] = `no histogram of latencies found, so latency is not judged; ${listed(times)}: a summary has no buckets, use a histogram instead`;
    return { text: null, unit: 's', notes };
  }
  const { family, pick, unit } = latency;
  const notes = [`${plural(family.bounds.length, 'bucket')} up to ${family.bounds.at(-1)} ${unit}`];
  if (family.unitBy === 'guess' && choice.preset === null) notes.push('check the unit: it is guessed from the bounds');
  if (path !== null && family.counts.every(({ labels }) => labels[path.label] === undefined))
    notes.push(`has no label ${path.label}: it covers all paths`);
  notes.push(...alsoFound(otherLatencies, 'histograms of times'));
  return { text: pickText(pick), unit, notes };
}

const TOKEN_TIMES: readonly [RegExp, string][] = [
  [/time_to_first_token|ttft/i, 'ttft'],
  [/inter_token|time_per_output_token|tpot/i, 'itl'],
];

export function tokenTimes(
  { histograms }: Families,
  latency: HistogramFamily | null,
): Record<string, ProposedSignal & { unit: Unit }> {
  const found: Record<string, ProposedSignal & { unit: Unit }> = {};
  for (const [word, name] of TOKEN_TIMES) {
    const one = histograms.find((h) => h.name !== latency?.name && word.test(h.name) && h.unit !== '1');
    if (one !== undefined)
      found[name] = { text: pickText({ name: one.name, matchers: [] }), unit: one.unit, notes: [] };
  }
  return found;
}

const SCORES = /(^|[_:.])(score|scores|probability|confidence|prediction_value|predicted_value|output_value)([_:.]|$)/i;
const KINDS = /^(predicted_class|class|decision|prediction|predicted_label|finish_reason|finished_reason)$/i;

export function driftSignal({ histograms, counters }: Families): ProposedSignal & { by: string | null } {
  const [first, ...others] = histograms.filter(({ name }) => SCORES.test(name) && !isTime(name));
  if (first !== undefined) {
    const notes = alsoFound(
      others.map(({ name }) => name),
      'histograms of scores',
    );
    return { text: pickText({ name: first.name, matchers: [] }), by: null, notes };
  }
  for (const { name, series } of counters) {
    const by = series.flatMap(({ labels }) => Object.keys(labels)).find((label) => KINDS.test(label));
    const values = by === undefined ? [] : valuesOf(series, by);
    if (by === undefined || values.length < 2) continue;
    return { text: pickText({ name, matchers: [] }), by, notes: [seenText(values, by)] };
  }
  return { text: null, by: null, notes: ['no histogram of scores found: drift is not judged'] };
}

const IN_FLIGHT = /in_?flight|in_?progress|active_requests|requests?_(running|active)|concurren|pending_request/i;

const RUNTIME = /^(nodejs|process|go|python|jvm|prometheus|promhttp)_/;

export function inflightSignal(gauges: readonly CounterFamily[]): ProposedSignal {
  const [first, ...others] = gauges.filter(({ name }) => IN_FLIGHT.test(name) && !RUNTIME.test(name));
  if (first === undefined) return { text: null, notes: [] };
  return {
    text: pickText({ name: first.name, matchers: [] }),
    notes: alsoFound(
      others.map(({ name }) => name),
      'such gauges',
    ),
  };
}

export function armsNotes({ label, seen, certainty }: ArmsFound): string[] {
  const rate = (perSecond: number | null) => (perSecond === null ? '' : ` (${Number(perSecond.toPrecision(2))}/s)`);
  const values = seen.map(({ value, perSecond }) => `${value === '' ? '(none)' : value}${rate(perSecond)}`);
  const notes = [seenText(values, label)];
  if (certainty === 'next')
    notes.push('check this: the canary has not been seen yet; write the value that it will have');
  return notes;
}

function pathNotes(series: readonly SeriesFact[], path: Matcher | null): string[] {
  return path === null ? [] : [`${seenText(valuesOf(series, path.label), path.label)}; health checks do not count`];
}

function seenText(values: readonly string[], label: string): string {
  return `${plural(values.length, 'value')} of ${label} seen: ${listed(values)}`;
}

function alsoFound(names: readonly string[], what: string): string[] {
  return names.length === 0 ? [] : [`other ${what}: ${listed(names)}`];
}

function listed(names: readonly string[]): string {
  const more = names.length - MOST_LISTED;
  return names.slice(0, MOST_LISTED).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

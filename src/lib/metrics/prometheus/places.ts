import { type Labels, showLabels } from '../labels.js';
import type { Sample, Target } from '../signals/index.js';
import type { ApiSeries, RawSample } from './parse.js';
import { PROCESS_START, UP } from './plan.js';

/** One series with the samples that the range holds, oldest first; numbers are read when they are needed. */
export interface Track {
  name: string;
  labels: Labels;
  samples: readonly RawSample[];
  /** Time of the newest sample, milliseconds since the epoch. */
  newest: number;
  /** Prometheus has scraped on without it: what is read later is a series of its own. */
  ended: boolean;
}

/** One `instance` of a `job`, as far as an arm has series of it. */
export interface Place {
  /** As Prometheus selects it, e.g. `{instance="10.0.0.7:8080",job="models"}`. */
  id: string;
  job: string;
  instance: string;
  tracks: Track[];
  /** What Prometheus says of its scrapes. */
  up: Track[];
  started: Track[];
}

/** How many gaps between two samples a series may be behind the newest sample of all before it has ended. */
const GAPS = 1.9;

export interface Grouping {
  /** Series that are in two answers come once. */
  once: boolean;
  /** Whether a series keeps `job` and `instance`, which its place has: only where something is selected by them. */
  whole: boolean;
}

/** Groups series by `job` and `instance`. */
export function placesOf(series: readonly ApiSeries[], { once, whole }: Grouping): Map<string, Place> {
  const places = new Map<string, Place>();
  const known = once ? new Set<string>() : null;
  // Most series are of the place of the one before.
  let last: Place | null = null;
  for (const one of series) {
    if (known?.has(showLabels(one.metric))) continue;
    known?.add(showLabels(one.metric));
    const { __name__: name = '', job = '', instance = '' } = one.metric;
    const place: Place =
      last !== null && last.job === job && last.instance === instance ? last : placeIn(places, job, instance);
    last = place;
    const track = trackOf(name, labelsOf(one, whole), one.values ?? []);
    if (name === UP) place.up.push(track);
    else if (name === PROCESS_START) place.started.push(track);
    else place.tracks.push(track);
  }
  return places;
}

function placeIn(places: Map<string, Place>, job: string, instance: string): Place {
  const id = placeKey(job, instance);
  const place = places.get(id) ?? { id, job, instance, tracks: [], up: [], started: [] };
  places.set(id, place);
  return place;
}

function labelsOf({ metric, own }: ApiSeries, whole: boolean): Labels {
  if (!whole) return own ?? ownLabels(metric);
  const { __name__: _, ...labels } = metric;
  return labels;
}

/** Labels without the name of the series and its place. */
export function ownLabels(metric: Labels): Labels {
  const labels: Labels = {};
  for (const name in metric)
    if (name !== '__name__' && name !== 'job' && name !== 'instance') labels[name] = metric[name]!;
  return labels;
}

/**
 * VictoriaMetrics answers with its staleness markers, as NaN: there the series ended. One that has no number at all is one
 * that says NaN itself.
 */
function trackOf(name: string, labels: Labels, values: readonly RawSample[]): Track {
  const numbers = hasNaN(values) ? values.filter(([, value]) => value !== 'NaN') : values;
  const samples = numbers.length === 0 ? values : numbers;
  const ended = numbers.length > 0 && values.at(-1) !== numbers.at(-1);
  return { name, labels, samples, newest: timeOf(samples.at(-1)), ended };
}

function hasNaN(values: readonly RawSample[]): boolean {
  for (const sample of values) if (sample[1] === 'NaN') return true;
  return false;
}

export function placeKey(job: string, instance: string): string {
  return showLabels({ ...(instance === '' ? {} : { instance }), ...(job === '' ? {} : { job }) });
}

/** Milliseconds since the epoch; 0 for none. */
export function timeOf(sample: RawSample | undefined): number {
  return sample ? Math.round(sample[0] * 1000) : 0;
}

/** Prometheus writes +Inf and -Inf; anything else that is no number is NaN, which is invalid further on. */
export function numberOf(text: string): number {
  if (text === '+Inf' || text === '-Inf') return text === '+Inf' ? Infinity : -Infinity;
  return text === '' ? Number.NaN : Number(text);
}

/** Newest sample of all, milliseconds since the epoch; 0 for none. */
export function newestOf(places: Iterable<Place>): number {
  let newest = 0;
  for (const { tracks, up } of places) {
    for (const track of tracks) newest = Math.max(newest, track.newest);
    for (const track of up) newest = Math.max(newest, track.newest);
  }
  return newest;
}

/**
 * Marks the series that have ended. Range queries hold no staleness markers; but a scrape gives all its samples one time,
 * so that `up` tells of a later scrape. Where it cannot (timestamps of the page's own, no `up`), a series has ended that
 * is further behind the newest sample of all than its own samples lie apart.
 * @param newest of all series of the look, and `unknownGapMs`, where a series has a single sample: milliseconds
 */
export function markEnded({ tracks, up, started }: Place, newest: number, unknownGapMs: number): void {
  const scrapes = up.length === 1 ? up[0]! : null;
  for (const track of up) track.ended ||= isBehind(track, newest, unknownGapMs);
  for (const track of [...tracks, ...started]) {
    const ofScrape = scrapes !== null && (track.newest === scrapes.newest || hasTime(scrapes, track.newest));
    track.ended ||= ofScrape ? scrapes.newest > track.newest || scrapes.ended : isBehind(track, newest, unknownGapMs);
  }
}

function isBehind({ samples, newest: own }: Track, newest: number, unknownGapMs: number): boolean {
  if (own === newest) return false;
  const gap = samples.length > 1 ? own - timeOf(samples.at(-2)) : unknownGapMs;
  return newest - own > GAPS * gap;
}

function hasTime({ samples }: Track, time: number): boolean {
  for (let i = samples.length - 1; i >= 0; i--) {
    const t = timeOf(samples[i]);
    if (t <= time) return t === time;
  }
  return false;
}

/** Nothing of it is scraped any more, and Prometheus no longer tries. */
export function isGone({ tracks, up }: Place): boolean {
  return up.length > 0 ? up.every(({ ended }) => ended) : tracks.every(({ ended }) => ended);
}

/** The place as it was at a time; null where it had nothing yet. @param until milliseconds since the epoch */
export function targetAt(place: Place, until: number): Target | null {
  const samples: Sample[] = [];
  // Of now it is marked.
  const wasAway = until === Number.POSITIVE_INFINITY ? null : awayAt(place, until);
  for (const track of place.tracks) {
    if (track.ended && track.newest < until) continue;
    const at = track.samples.findLastIndex((one) => timeOf(one) <= until);
    const sample = track.samples[at];
    if (sample === undefined || wasAway?.(track, at)) continue;
    samples.push({ name: track.name, labels: track.labels, value: numberOf(sample[1]), t: timeOf(sample) });
  }
  const up = valuesAt(place.up, until);
  if (samples.length === 0 && up.length === 0) return null;
  if (up.length > 0 && up.every((value) => value === 0)) {
    const state = { state: 'unreachable' as const, detail: `${place.id}: Prometheus cannot scrape it (up is 0)` };
    return { id: place.id, state, samples: [] };
  }
  const startedAt = startAt(place, until);
  return { id: place.id, state: { state: 'ok' }, samples, ...(startedAt === null ? {} : { startedAt }) };
}

/**
 * Whether a series that goes on was not there at a time, though it had a sample before it: the process may have begun anew in
 * between, and what the series stood at would be counted as all its own.
 */
function awayAt({ tracks, up }: Place, until: number): (track: Track, at: number) => boolean {
  const newestThen = (track: Track): number => timeOf(track.samples.findLast((one) => timeOf(one) <= until));
  const scrapes = up.length === 1 ? up[0]! : null;
  const scraped = scrapes === null ? 0 : newestThen(scrapes);
  let newest = 0;
  for (const track of tracks) newest = Math.max(newest, newestThen(track));
  return ({ samples }, at) => {
    const own = timeOf(samples[at]);
    if (scrapes !== null && hasTime(scrapes, own)) return scraped > own;
    return at > 0 && newest - own > GAPS * (own - timeOf(samples[at - 1]));
  };
}

/** Null where it does not say, or says two things. */
function startAt({ started }: Place, until: number): number | null {
  const [first, ...more] = valuesAt(started, until);
  if (first === undefined || !(first > 0) || more.some((other) => other !== first)) return null;
  return Math.round(first * 1000);
}

function valuesAt(tracks: readonly Track[], until: number): number[] {
  return tracks.flatMap((track) => {
    if (track.ended && track.newest < until) return [];
    const sample = track.samples.findLast((one) => timeOf(one) <= until);
    return sample ? [numberOf(sample[1])] : [];
  });
}

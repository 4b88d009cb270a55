import type { ArmReading } from '../../judge/index.js';
import { type ArmCursor, countArm, type Unseen } from '../counting/index.js';
import type { Signals, Target } from '../signals/index.js';
import { isGone, markEnded, newestOf, type Place, targetAt } from './places.js';
import { stepsWithin } from './steps.js';
import { heldBack, sumReadings } from './sums.js';

/** Where an arm stood at a look. */
export interface SeenArm {
  counters: ArmCursor | null;
  /** Newest sample of each place that has been seen lately, by its id; milliseconds since the epoch. */
  seen: Record<string, number>;
  /** The oldest of those that were still scraped; null: none was. */
  oldest: number | null;
  /** When `up` was newest, of all places; null: none has it. */
  scraped: number | null;
  /** Counted already and not given out, as the next look has to tell what came after it. */
  held: ArmReading | null;
}

export interface ArmLook {
  reading: ArmReading;
  cursor: SeenArm;
  notes: string[];
  /** As `ArmCount.unseen`. */
  unseen: Unseen[];
}

interface Look {
  /** When it was taken by this clock, and by that of Prometheus; `staleBefore` and the newest sample of both arms; milliseconds since the epoch. */
  at: number;
  there: number;
  staleBefore: number;
  newest: number;
  /** The range asked for, milliseconds. */
  reach: number;
  staleMs: number;
}

const SKEW_MS = 60_000;

/**
 * Increments of one arm out of raw samples. The newest sample of each series counts; the earlier ones since the last
 * look are walked through where something happened in between, so that a restart between two looks is seen.
 */
export function lookAtArm(
  all: ReadonlyMap<string, Place>,
  signals: Signals,
  previous: SeenArm | null,
  look: Look,
): ArmLook {
  const places = ofTheKind(all, previous);
  for (const place of places.values()) markEnded(place, look.newest, look.staleMs);
  const newest = newestOf(places.values());
  const steps =
    previous === null || newest < look.staleBefore
      ? []
      : stepsWithin(places.values(), previous.seen, signals.inflight?.name ?? null).filter((time) => time < newest);
  const readings: ArmReading[] = [];
  const notes = new Set<string>();
  let counters = previous?.counters ?? null;
  const unseen: Unseen[] = [];
  for (const until of [...steps, Number.POSITIVE_INFINITY]) {
    const targets = targetsAt([...places.values()], until, look.there);
    const last = until === Number.POSITIVE_INFINITY;
    const at = Math.min(look.at, Math.max(until, counters?.at ?? look.at));
    const samples = { at, targets, ...(last ? { staleBefore: look.staleBefore } : {}) };
    const counted = countArm(samples, counters, signals);
    counters = counted.cursor;
    unseen.push(...counted.unseen);
    readings.push(counted.reading);
    for (const note of counted.notes) notes.add(note);
  }
  if (newest > look.there + SKEW_MS)
    notes.add(`clock skew: newest sample is ${Math.round((newest - look.there) / 1000)} s ahead of this clock`);
  // A fall that may be a restart puts nothing in doubt that was counted before it.
  const isDoubtful = unseen.some(({ reason }) => reason !== 'restart');
  const held = isDoubtful ? null : heldBack(readings);
  const scraped = newestScrape(places.values());
  const cursor = { counters, ...seenNow(places, previous, look), scraped, held };
  const reading = sumReadings(previous?.held ? [previous.held, ...readings] : readings);
  // Of nothing it is not known how much there should be.
  if (places.size === 0) delete reading.targets;
  else if (reading.targets !== undefined && scraped !== null && scraped <= (previous?.scraped ?? 0)) {
    const { expected, up } = reading.targets;
    // One failed scrape is seen at each look until the next one.
    if (up < expected) reading.targets = { expected, up, unchanged: true };
  }
  return { reading, cursor, notes: [...notes], unseen };
}

function newestScrape(places: Iterable<Place>): number | null {
  let newest: number | null = null;
  for (const { up } of places) for (const track of up) newest = Math.max(newest ?? 0, track.newest);
  return newest;
}

/**
 * A pod may have other targets, a proxy's for example, whose `up` says nothing of the service: targets of a job count that
 * has had series of the service. Where none has had any, nothing is known of them, and all may be the service's.
 */
function ofTheKind(all: ReadonlyMap<string, Place>, previous: SeenArm | null): ReadonlyMap<string, Place> {
  const served = [...all.values()].filter(({ id, tracks }) => tracks.length > 0 || previous?.seen[id] !== undefined);
  const jobs = new Set(served.map(({ job }) => job));
  if (served.length === all.size || jobs.size === 0) return all;
  return new Map([...all].filter(([, { job }]) => jobs.has(job)));
}

/** Places that are gone are none. Where all are, it is the arm that has fallen silent. */
function targetsAt(places: readonly Place[], until: number, at: number): Target[] {
  const there = places.filter((place) => !isGone(place) || newestOf([place]) >= until);
  if (there.length > 0) return there.flatMap((place) => targetAt(place, until) ?? []);
  return places.map((place): Target => {
    const age = Math.round((at - newestOf([place])) / 1000);
    const detail = `${place.id} is no longer scraped, its newest sample is ${age} s old`;
    return { id: place.id, state: { state: 'stale', detail }, samples: [] };
  });
}

function seenNow(
  places: ReadonlyMap<string, Place>,
  previous: SeenArm | null,
  { there, reach }: Look,
): Pick<SeenArm, 'seen' | 'oldest'> {
  const seen: Record<string, number> = {};
  for (const [id, time] of Object.entries(previous?.seen ?? {})) {
    if (time > there - 2 * reach || places.has(id)) seen[id] = time;
  }
  let oldest: number | null = null;
  for (const place of places.values()) {
    if (place.tracks.length === 0) continue;
    const newest = Math.max(seen[place.id] ?? 0, ...place.tracks.map((track) => track.newest));
    seen[place.id] = newest;
    if (place.tracks.some(({ ended }) => !ended)) oldest = Math.min(oldest ?? newest, newest);
  }
  return { seen, oldest };
}

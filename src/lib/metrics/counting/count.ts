import type { ArmReading, Missing } from '../../judge/index.js';
import type { ArmSamples, Signals, Target } from '../signals/index.js';
import { type Advance, advance, type ProcessStep } from './advance.js';
import { highestNow } from './compare.js';
import { type ArmCursor, elapsedSince, nextCursor, type ProcessCursor } from './cursor.js';
import type { InFlight } from './flight.js';
import { judgeProcess, startOf } from './identity.js';
import { waitingIn } from './left.js';
import { usualMost } from './nameless.js';
import { type Plan, planOf } from './plan.js';
import { type ProcessLook, processesOf } from './processes.js';
import { ArmSignals } from './readings.js';
import { tooMuchKept, tooMuchShown } from './size.js';
import { beforeOfTarget } from './unlabelled.js';
import { type Unseen, unreadFor, unseenOf } from './unseen.js';
import type { Verdict } from './verdict.js';

export interface ArmCount {
  reading: ArmReading;
  cursor: ArmCursor;
  notes: string[];
  /** What happened, or may have, and is in no reading: neither of this look nor of a later one. */
  unseen: Unseen[];
}

/** A place that was not read for so long is forgotten: what returns there is a process not seen before. */
const FORGET_MS = 24 * 3_600_000;

/**
 * Turns cumulative series into increments since the previous look. What is counted belongs to a process, and each series
 * of it is differenced by itself: decision 22 tells how a new series, a restart, a dip, an alternation and an end are
 * told apart. A signal that was missing covers, once it is back, everything since it was last there; a note says so.
 * Pure: neither the samples nor the cursor are changed.
 */
export function countArm(samples: ArmSamples, previous: ArmCursor | null, signals: Signals): ArmCount {
  const plan = planOf(signals);
  const up = samples.targets.filter(({ state }) => state.state === 'ok').length;
  const targets = { expected: samples.targets.length, up };
  if (up === 0) {
    const waiting = previous && waitingIn(previous);
    const reading = { ...allMissing(noTarget(samples.targets), signals), targets, ...(waiting ? { waiting } : {}) };
    return { reading, cursor: previous ?? nextCursor(null, samples.at), notes: [], unseen: [] };
  }
  const cursor = nextCursor(previous, samples.at);
  const notes = waiting(samples, previous);
  const staleBefore = samples.staleBefore ?? Number.NEGATIVE_INFINITY;
  const looks = processesOf(samples, plan);
  const unseen: Unseen[] = [];
  const refused = (missing: Missing): ArmCount => ({
    reading: { ...allMissing(missing, signals), targets },
    cursor: previous ?? nextCursor(null, samples.at),
    notes,
    unseen: [],
  });
  const shown = tooMuchShown(looks);
  if (shown !== null) return refused(shown);
  const steps = stepAll(looks, { samples, previous, cursor, plan, staleBefore, notes, unseen });
  const kept = tooMuchKept(cursor);
  if (kept !== null) return refused(kept);
  const arm = new ArmSignals({ steps, cursor, previous, signals, plan, staleBefore, notes, unseen });
  const reading: ArmReading = { ...arm.reading(), targets };
  const verdicts = steps.flatMap(({ verdict }) => verdict ?? []);
  const resets = verdicts.filter(({ reset }) => reset).length;
  const restarts = verdicts.filter(({ restart }) => restart).length;
  if (resets > 0) reading.resets = resets;
  // Also when there was none: a fall alone is no restart, and would be taken for one.
  if (resets > 0 || restarts > 0) reading.restarts = restarts;
  return { reading, cursor, notes, unseen };
}

interface Stepping {
  samples: ArmSamples;
  previous: ArmCursor | null;
  cursor: ArmCursor;
  plan: Plan;
  staleBefore: number;
  notes: string[];
  unseen: Unseen[];
}

function stepAll(looks: readonly ProcessLook[], context: Stepping): ProcessStep[] {
  const { samples, previous, cursor, plan, staleBefore, notes, unseen } = context;
  forget(cursor, samples.at);
  for (const { id, state } of samples.targets) if (state.state === 'ok') cursor.targets[id] = samples.at;
  const shown = new Set(looks.map(({ id }) => id));
  for (const [id, process] of Object.entries(cursor.processes)) {
    if (cursor.targets[process.target] === samples.at && !shown.has(id) && !process.gone)
      cursor.processes[id] = { ...process, gone: true };
  }
  const blocked = new Set(
    plan.histograms.flatMap((_, i) => (looks.some(({ histograms }) => !(histograms[i] instanceof Map)) ? [i] : [])),
  );
  const begin = cursor.begin;
  const rate = fastest(previous);
  // In an order of their own: what is noted must not depend on that of an answer.
  return looks
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .map((look) => {
      const before = previous?.processes[look.id] ?? beforeOfTarget(look, previous);
      // Samples that were read before tell nothing of what came after them, not even that a fall was a restart.
      const known = look.timed && before !== undefined && look.time <= before.seen;
      if (known || look.time < staleBefore) return { look, verdict: null, histograms: [] };
      const verdict = judgeProcess(look, before, { plan, begin, at: samples.at });
      const from = before && lineOf(before, verdict);
      const most = mostNew(rate, from === undefined ? 0 : elapsedSince(from, look.time));
      const isYoung = verdict.kind === 'start' && previous !== null && isYoungBeside(look, previous, rate);
      const step: Advance = advance(look, from, verdict, { plan, begin, staleBefore, most, blocked, isYoung });
      cursor.processes[look.id] = step.cursor;
      if (step.flight !== null) addFlight(cursor, step.flight);
      tell(look, verdict, step, previous, notes);
      tellGap(look, before, verdict, notes);
      unseen.push(...unseenOf(look, before, verdict, step));
      return { look, verdict, histograms: step.histograms };
    });
}

/** The most that a series seen for the first time can have counted since the last look, `elapsed` milliseconds ago. */
function mostNew(rate: number, elapsed: number): number {
  return rate > 0 ? 10 * rate * elapsed + 300 : 10 * elapsed + 100;
}

function addFlight(cursor: ArmCursor, { ran, began }: InFlight): void {
  if (ran !== 0) cursor.running = (cursor.running ?? 0) + ran;
  if (began !== 0) cursor.began = (cursor.began ?? 0) + began;
}

/** Where its counters stood when they last were given out. */
function lineOf(before: ProcessCursor, { since }: Verdict): ProcessCursor {
  if (since === undefined) return before;
  const { series, histograms, seen } = since;
  return { ...before, series, histograms, seen };
}

/** Whether a process of unknown age shows no more than its arm counts since the last look. */
function isYoungBeside(look: ProcessLook, previous: ArmCursor, rate: number): boolean {
  if (startOf(look) !== undefined || rate === 0) return false;
  const expected = rate * (look.time - (previous.targets[look.target] ?? previous.at));
  return highestNow(look) <= usualMost(expected);
}

function fastest(previous: ArmCursor | null): number {
  return Object.values(previous?.processes ?? {}).reduce((most, { rate }) => Math.max(most, rate ?? 0), 0);
}

function forget(cursor: ArmCursor, at: number): void {
  for (const [id, { seen }] of Object.entries(cursor.processes)) if (seen < at - FORGET_MS) delete cursor.processes[id];
  for (const [id, seen] of Object.entries(cursor.targets)) if (seen < at - FORGET_MS) delete cursor.targets[id];
}

function tell(look: ProcessLook, verdict: Verdict, step: Advance, previous: ArmCursor | null, notes: string[]): void {
  if (verdict.kind === 'start' && previous !== null && hadAny(previous)) {
    notes.push(
      `${look.shown} is new here, and when it began is not known: what it counted so far${amounts(look)} is left out`,
    );
  }
  if (step.tooLarge !== null) {
    const { name, value } = step.tooLarge;
    notes.push(
      `${name} is new and stands at ${value}, too much for one check: new series of ${look.shown} start there`,
    );
  }
}

/** What cannot be seen after a time in which nobody looked. */
function tellGap(look: ProcessLook, before: ProcessCursor | undefined, { kind }: Verdict, notes: string[]): void {
  const unread = before !== undefined && kind === 'count' ? unreadFor(before, look) : null;
  if (unread === null) return;
  const seconds = Math.round(unread / 1000);
  notes.push(
    `${look.shown} was not read for ${seconds} s and does not say when it began: had it restarted meanwhile, what it counted before would be missing`,
  );
}

function hadAny({ processes }: ArmCursor): boolean {
  return Object.keys(processes).length > 0;
}

function amounts({ series }: ProcessLook): string {
  const [highest] = [...series.values()].filter(({ good }) => good).sort((a, b) => b.sample.value - a.sample.value);
  return highest === undefined ? '' : ` (${highest.key} ${highest.sample.value})`;
}

/** Places that did not answer, while others did. */
function waiting({ targets, at }: ArmSamples, previous: ArmCursor | null): string[] {
  return targets.flatMap(({ id, state }) => {
    if (state.state === 'ok') return [];
    const seen = previous?.targets[id];
    const since = seen === undefined ? '' : `, last read ${Math.round((at - seen) / 1000)} s ago`;
    return [`counts of ${id} wait${since}: ${state.detail ?? state.state}`];
  });
}

function noTarget(targets: readonly Target[]): Missing {
  const [first] = targets.flatMap(({ state }) => (state.state === 'ok' ? [] : state));
  if (first === undefined) return { state: 'absent', detail: 'nothing to read was found' };
  if (targets.length === 1) return first;
  return { state: first.state, detail: `none of ${targets.length} answers: ${first.detail ?? first.state}` };
}

/** A reading in which every signal asked for has the same state. */
export function allMissing(missing: Missing, { requests, errors, histograms, drift }: Signals): ArmReading {
  const { latency, ...others } = histograms;
  const reading: ArmReading = {};
  if (requests !== null && errors !== null) reading.errors = missing;
  if (latency !== undefined) reading.latency = missing;
  const names = Object.keys(others);
  if (names.length > 0) reading.histograms = Object.fromEntries(names.map((name) => [name, missing]));
  if (drift?.kind === 'histogram') reading.score = missing;
  if (drift?.kind === 'categories') reading.categories = missing;
  return reading;
}

import type { ProcessCursor } from './cursor.js';
import { countProblem } from './histogram.js';
import type { ProcessLook } from './processes.js';
import type { Verdict } from './verdict.js';

/** Requests that a process serves, as its gauge says. */
export interface InFlight {
  /** Where its counts are given out up to; undefined: there is no gauge. */
  now: number | undefined;
  /** By how many more it served at the end of what this look counts than at its beginning. */
  ran: number;
  /** How many it served where what is counted begins, if that is at this look or at one whose counts waited. */
  began: number;
}

export function inFlight(look: ProcessLook, before: ProcessCursor | undefined, verdict: Verdict): InFlight {
  const now = shown(look, before, verdict);
  return { now, ran: ranMore(before, verdict, now), began: beganWith(before, verdict, now) };
}

/** What it served before where its gauge cannot be read, or where what it counted since then waits. */
function shown(look: ProcessLook, before: ProcessCursor | undefined, verdict: Verdict): number | undefined {
  const good = look.gauges.filter(({ value }) => countProblem(value) === null);
  const waits = verdict.kind === 'held' && verdict.other?.risen;
  if (waits || (good.length === 0 && verdict.kind === 'count')) return before?.inflight;
  return good.length === 0 ? undefined : good.reduce((all, { value }) => all + value, 0);
}

function ranMore(before: ProcessCursor | undefined, { kind }: Verdict, now = 0): number {
  if (kind === 'zero' || kind === 'confirm') return now;
  if (kind === 'again') return before?.inflight ?? 0;
  return kind === 'count' && before !== undefined ? now - (before.inflight ?? 0) : 0;
}

function beganWith(before: ProcessCursor | undefined, { kind, since }: Verdict, now = 0): number {
  if (kind === 'start' || kind === 'break') return now;
  const waited = before?.other?.held && !before.other.risen && since === undefined;
  return kind === 'count' && waited ? (before.inflight ?? 0) : 0;
}

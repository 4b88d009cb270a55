import type { Advance } from './advance.js';
import { highestNow } from './compare.js';
import type { ProcessCursor } from './cursor.js';
import { startOf } from './identity.js';
import type { ProcessLook } from './processes.js';
import type { Verdict } from './verdict.js';

/** Something that was, or may have been, counted by a service and is in no reading. */
export interface Unseen {
  /** The process, as messages call it. */
  process: string;
  /** When that was, milliseconds since the epoch; null: before it was read for the first time. */
  from: number | null;
  to: number;
  /** `in turn`: since it was first read, what was counted may be of one process alone, or of both. */
  reason: 'first seen' | 'restart' | 'fall' | 'implausible' | 'in turn' | 'torn' | 'too large';
}

/** What of one process stays unseen by this look. */
export function unseenOf(
  look: ProcessLook,
  before: ProcessCursor | undefined,
  verdict: Verdict,
  { cursor, tooLarge, histograms }: Advance,
): Unseen[] {
  const { shown, time } = look;
  const found: Unseen[] = [];
  const add = (reason: Unseen['reason'], from: number | null, to = time): void => {
    found.push({ process: shown, from, to, reason });
  };
  const seen = before?.seen ?? null;
  if (verdict.kind === 'start') add('first seen', null);
  else if (before === undefined) add('first seen', null, startOf(look));
  else if (verdict.kind === 'break')
    add(verdict.missing?.state === 'implausible' ? 'implausible' : 'fall', lastSure(before));
  else if (verdict.restart || (verdict.kind === 'held' && !verdict.other?.risen)) add('restart', lastSure(before));
  else if (before.other?.held && verdict.kind === 'count' && verdict.since === undefined)
    add(verdict.dropped ? 'implausible' : 'fall', before.other.seen, before.seen);
  if (before !== undefined && verdict.kind === 'count')
    if (mayHaveBegunAnew(before, look, cursor) || unreadFor(before, look) !== null) add('restart', before.seen);
  if (verdict.turn === 0 && before?.turn === undefined) add('in turn', null);
  if (tooLarge !== null) add('too large', seen);
  if (histograms.some(({ torn }) => torn)) add('torn', seen);
  return found;
}

/** So many times longer than before is not how often it is read, but a driver or a network that was away. */
const LONG = 5;

/**
 * How long nobody read a process that may have begun anew in that time, and passed its old values: it does not say when it
 * began, and all that it shows can have been counted since. Milliseconds; null: it has not, or was read as often as ever.
 */
export function unreadFor(before: ProcessCursor, look: ProcessLook): number | null {
  const elapsed = look.time - before.seen;
  if (before.every === undefined || elapsed <= LONG * before.every) return null;
  if (look.startedAt !== undefined || look.created.size > 0) return null;
  const most = before.rate === null ? Infinity : 10 * before.rate * elapsed + 100;
  return highestNow(look) <= most ? elapsed : null;
}

/**
 * Whether a process that is taken to count on may have begun anew since the last look, without a fall that shows it. A
 * series that a look does not show is nowhere while it is away: it may be made anew, and pass its old value.
 */
function mayHaveBegunAnew(before: ProcessCursor, look: ProcessLook, { away }: ProcessCursor): boolean {
  const named = look.startedAt !== undefined || look.created.size > 0;
  return Boolean((before.gone && !named) || before.away || away) || beganLater(before, look);
}

/** Whether something says that it began later than the last look knew, be it by less than clocks differ. */
function beganLater(before: ProcessCursor, look: ProcessLook): boolean {
  if (look.startedAt !== undefined && before.startedAt !== undefined && look.startedAt > before.startedAt) return true;
  for (const [key, now] of look.created) if (now > (before.created?.[key] ?? now)) return true;
  return false;
}

/** Counts of a fall that was held belong to what is lost when it is not confirmed. */
function lastSure(before: ProcessCursor | undefined): number | null {
  if (before === undefined) return null;
  return before.other?.held ? before.other.seen : before.seen;
}

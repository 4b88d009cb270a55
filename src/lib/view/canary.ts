import {
  briefOdds,
  certificate,
  type Evidence,
  isAtEnd,
  mathOf,
  type Narrative,
  narrateCanary,
  plural,
  seconds,
  summarise,
  summariseEnded,
  type WhyMath,
} from '../explain/index.js';
import { glanceOf, judge, type ObjectiveReport, type Observation, type Verdict } from '../judge/index.js';
import type { StoredEvent } from '../ledger/index.js';
import {
  type Canary,
  type CanaryHistory,
  type Facts,
  factsOf,
  foldCanary,
  type GateEntry,
  type InterimVerdict,
  verdictOf,
} from '../readings/index.js';
import { type StreamEvent, streamEvent, subjectOf } from '../stream/index.js';
import { type Cell, cellOf, type Meter, meterOf } from './cell.js';
import { CanaryFold } from './course.js';
import { type CanaryRow, newRow, rowAfter } from './row.js';

/** What the log holds of a canary, but for its observations. Plain JSON. */
export interface CanaryEntries {
  id: string;
  /** Place in the feed as of which it was read: `SEQ.ROW.LOG`. */
  position: string;
  events: StoredEvent[];
  /** See `CanaryHistory.gate`. */
  gate: GateEntry[];
  /** SHA-256, hex, of the policy as computed from what is recorded. */
  policyDigest: string;
}

/** All that is recorded of a canary: what a view of it, its story and its numbers are made from. */
export interface CanaryRecord extends CanaryEntries {
  /** In order of tick, those that were judged, or all where nothing was decided. Without those that were pruned. */
  observations: Observation[];
  /** SHA-256, hex, over their recorded lines, computed by whoever read them; null: not computed. */
  digest: string | null;
}

/** One objective of one canary. */
export interface ObjectiveView {
  report: ObjectiveReport;
  cell: Cell;
  /** How far it is from certain, in both directions; null: it decides nothing, or there is nothing to say. */
  toCertain: { against: string | null; met: string | null };
}

/** One canary as it is shown. */
export interface CanaryView {
  row: CanaryRow;
  canary: Canary;
  facts: Facts;
  verdict: Verdict | null;
  /** The first screen, line by line; empty before the first check. */
  summary: string[];
  meter: Meter | null;
  objectives: ObjectiveView[];
  /** Whether the observations are those that the decision commits to; null: nothing was decided, or no digest was computed. */
  intact: boolean | null;
  /** Entries that stand on the charts. */
  markers: Marker[];
  narrative: Narrative;
  math: WhyMath;
}

export interface Marker {
  /** Ms since the epoch. */
  t: number;
  what: string;
}

/** How a canary stands: its row in lists, and the verdict, decided or as of its newest check. */
export type CanaryStanding = Pick<CanaryView, 'row' | 'canary' | 'facts' | 'verdict'> & { interim: InterimVerdict };

/**
 * How a canary stands, without its story and its numbers, which cost more. Pure.
 * @param judged see `canaryView`
 * @returns null when the record holds no request
 */
export function standingOf(record: CanaryRecord, judged?: Verdict): CanaryStanding | null {
  const { id, events, observations } = record;
  const facts = factsOf(id, events);
  const canary = foldCanary(events);
  if (facts === null || canary === null) return null;
  const interim = standing(canary, facts, observations, judged);
  const verdict = verdictOf(facts, interim);
  return { row: rowOf(record, verdict), canary, facts, verdict, interim };
}

/**
 * A canary as it is shown, from all that is recorded of it. Pure: the same record gives the same view.
 * @param judged its checks as they have been judged already; left out: they are judged here
 * @returns null when the record holds no request
 */
export function canaryView(record: CanaryRecord, judged?: Verdict): CanaryView | null {
  const { id, events, gate, observations } = record;
  const stands = standingOf(record, judged);
  if (stands === null) return null;
  const { interim, ...shown } = stands;
  const { canary, facts, verdict } = shown;
  const history: CanaryHistory = { id, events, gate, interim, asOf: null };
  const { digest, policyDigest } = record;
  const evidence: Evidence = { observations, digest: digest ?? '', policyDigest, ...(judged && { again: judged }) };
  const committed = canary.observations;
  return {
    ...shown,
    summary: summaryOf(canary, verdict),
    meter: verdict === null ? null : meterOf(verdict.evidence),
    objectives: verdict === null ? [] : glanced(verdict),
    intact: committed === null || digest === null ? null : digest === committed.digest,
    markers: markersOf(facts),
    narrative: narrateCanary(history),
    // Without a digest nothing is known of the record: that is not the same as a record that does not hold.
    math: digest === null ? { ...mathOf(history, evidence), check: null } : mathOf(history, evidence),
  };
}

/** What judges the checks of a canary one by one; null while its window has not started. */
export function foldOf({ events }: CanaryEntries): CanaryFold | null {
  const canary = foldCanary(events);
  return canary === null || canary.startedAt === null ? null : new CanaryFold(canary.policy, canary.startedAt);
}

/** How a canary that nothing has decided stands by its observations. */
function standing(
  { policy, startedAt }: Canary,
  facts: Facts,
  observations: readonly Observation[],
  judged?: Verdict,
): InterimVerdict {
  if (startedAt === null || facts.decided !== null) return null;
  return observations.length === 0 ? 'pruned' : (judged ?? judge(policy, startedAt, observations));
}

function summaryOf(canary: Canary, verdict: Verdict | null): string[] {
  if (canary.ended !== null) return summariseEnded(canary, canary.ended, verdict, 100);
  return verdict === null ? [] : summarise(canary, verdict, 100);
}

function glanced(verdict: Verdict): ObjectiveView[] {
  const glances = glanceOf(verdict).objectives;
  return verdict.objectives.map((report, i) => ({
    report,
    cell: cellOf(glances[i]!),
    toCertain: report.reportOnly ? { against: null, met: null } : toCertain(report, verdict),
  }));
}

function toCertain(o: ObjectiveReport, verdict: Verdict): ObjectiveView['toCertain'] {
  if (o.type === 'reading') {
    const left = Math.max(0, o.limit - o.consecutiveFailing);
    return {
      against: o.against ? 'reached' : `${plural(left, 'more failing reading')} in a row`,
      met: o.met ? 'met' : null,
    };
  }
  const { evidence } = verdict;
  const now = o.rollback.logE <= 0 ? 'none yet' : briefOdds(o.rollback.logE);
  const at = briefOdds(evidence.logThreshold);
  // Each objective has its own evidence; all of it together rolls back, and the others hold it down.
  const together = evidence.logE >= evidence.logThreshold ? 'reached' : `${now} alone, together it takes ${at}`;
  const against = o.rollback.against ? together : `${now}, rolls back at ${at}`;
  const certain = certificate(o, isAtEnd(verdict));
  // A test that is made once, at the end of the window, promises nothing before.
  if (certain !== 'no') return { against, met: certain === 'yes' ? 'certified' : 'certified so far' };
  const needed = o.type === 'rate' ? o.needed : null;
  if (needed === null) return { against, met: null };
  const time = needed.seconds === null ? '' : `, about ${seconds(needed.seconds)} at this traffic`;
  return { against, met: `${plural(needed.requests, 'more request')} like these${time}` };
}

/** The row of a list, folded from the very events that lists are folded from. */
function rowOf(record: CanaryRecord, verdict: Verdict | null): CanaryRow {
  let row: CanaryRow | null = null;
  for (const told of tellings(record)) row = rowAfter(row ?? newRow(told)!, told);
  const glance = verdict === null ? null : glanceOf(verdict);
  return { ...row!, glance, checkedAt: record.observations.at(-1)?.t ?? null };
}

/** What the stream says of a canary's entries; its checks are left out. */
function* tellings({ events }: CanaryRecord): Generator<{ id: string } & StreamEvent> {
  const subject = events[0] === undefined ? null : subjectOf(events[0]);
  for (const event of events) {
    const position = { seq: event.seq + 1, row: 1 };
    const told = streamEvent({ type: 'event', event, position }, subject);
    if (told !== null) yield { id: `${position.seq}.${position.row}`, ...told };
  }
}

function markersOf({ extended, decided, overridden, aborted, silences }: Facts): Marker[] {
  const at = (event: StoredEvent | null, what: string): Marker[] =>
    event === null ? [] : [{ t: Date.parse(event.ts), what }];
  return [
    ...silences.flatMap(({ engaged, released }) => [...at(engaged, 'data missing'), ...at(released, 'data again')]),
    ...at(extended, 'window extended'),
    ...(decided === null ? [] : [{ t: decided.data.verdict.at, what: decided.data.verdict.decision }]),
    ...at(overridden, 'promoted by hand'),
    ...at(aborted, 'aborted'),
  ];
}

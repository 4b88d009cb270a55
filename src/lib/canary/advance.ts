import { timestamp } from '../clock.js';
import { isConflict, LukhasError } from '../errors.js';
import type { Observation } from '../judge/index.js';
import { begin } from '../judge/index.js';
import type { EventDraft } from '../ledger/index.js';
import { asStored, takeLease } from '../ledger/index.js';
import { canonicalJson } from '../ledger/tree/index.js';
import type { MetricSource, Reading, SourceDescriptor } from '../metrics/index.js';
import { applyEvent, type Canary, canarySummary, isOpen, isTerminal } from '../readings/index.js';
import { type ActContext, act } from './act.js';
import { leaseMs } from './lease.js';
import { loadCanary } from './load.js';
import { isPromotionBlocked } from './promotion-blocked.js';
import { nextDue } from './schedule.js';
import { loadSession, type Session, take } from './session.js';
import { eventsOfTick } from './step.js';

export interface AdvanceContext extends ActContext {
  /** Sources are shared between canaries that read the same place. */
  source(descriptor: SourceDescriptor): Promise<MetricSource>;
  /** Sessions of the canaries this driver holds, and until when it holds them, by its monotonic clock. */
  sessions: Map<string, Session>;
  leases: Map<string, number>;
  /** Readings of inputs, which give each only once, that could not be recorded yet. */
  unrecorded: Map<string, Reading>;
  onTick?: (tick: Tick) => void;
}

/** What a live view shows of one look. */
export interface Tick {
  session: Session;
  observation: Observation;
  events: readonly EventDraft[];
}

/**
 * One step of a canary, safe to repeat and to race: takes the lease, looks when a look is due, judges, commits the
 * observation together with all it gives rise to, and acts on a decision. A tick that another driver has recorded,
 * or an event that came in between, makes the commit fail whole; the session is then read again.
 * @returns when to call again, ms since the epoch; null when nothing is left to be done
 */
export async function advance(context: AdvanceContext, id: string): Promise<number | null> {
  try {
    const session = await held(context, id);
    if (typeof session === 'number') return session;
    if (!isOpen(session.canary)) return await close(context, id);
    if (!isTerminal(session.canary.state)) return await look(context, session);
    const again = await act(context, session.canary);
    if (again !== null) return again;
    return await close(context, id);
  } catch (error) {
    // What is in memory may be ahead of the log now, or behind it when somebody else appended (an abort, another driver).
    context.sessions.delete(id);
    // Others that want the gate do not wait for one that cannot go on.
    if (isPromotionBlocked(error)) await giveBack(context, id);
    if (!isConflict(error)) throw error;
    forget(context, id);
    return context.clock.now();
  }
}

/** The session under our lease, or when to try again. */
async function held(context: AdvanceContext, id: string): Promise<Session | number> {
  const canary = context.sessions.get(id)?.canary ?? (await loadCanary(context.ledger, id));
  const wait = await holdLease(context, canary);
  if (wait !== null) {
    context.sessions.delete(id);
    return wait;
  }
  const known = context.sessions.get(id);
  if (known) return known;
  // Read under the lease: the holder before us may have committed a tick in between.
  const session = await loadSession(context.ledger, id);
  context.sessions.set(id, session);
  return session;
}

async function holdLease(context: AdvanceContext, canary: Canary): Promise<number | null> {
  const { ledger, clock, holder, leases } = context;
  const { id } = canary;
  const ttl = leaseMs(canary.policy.intervalSeconds);
  const now = clock.monotonic();
  const until = leases.get(id);
  if (until !== undefined && until - now > ttl / 2) return null;
  if (until !== undefined && !(await ledger.renewLease(id, holder, clock, ttl))) forget(context, id);
  const wait = leases.has(id) ? null : await takeLease(ledger, id, holder, clock, ttl);
  if (wait === null) leases.set(id, now + ttl);
  return wait;
}

/** Somebody else has had the canary: what is known of it is not what the log says now. */
function forget({ leases, sessions, unrecorded }: AdvanceContext, id: string): void {
  leases.delete(id);
  sessions.delete(id);
  unrecorded.delete(id);
}

async function close(context: AdvanceContext, id: string): Promise<null> {
  context.sessions.delete(id);
  context.unrecorded.delete(id);
  await giveBack(context, id);
  return null;
}

async function giveBack({ ledger, leases, holder }: AdvanceContext, id: string): Promise<void> {
  if (leases.delete(id)) await ledger.releaseLease(id, holder);
}

/** Looks once, when a look is due. */
async function look(context: AdvanceContext, session: Session): Promise<number> {
  const { clock } = context;
  const { canary } = session;
  let source: MetricSource;
  try {
    source = await context.source(canary.source as unknown as SourceDescriptor);
    if (session.count === 0) await source.check();
  } catch (error) {
    if (!(error instanceof LukhasError)) throw error;
    return fail(context, session, error);
  }
  const due = dueAt(session, clock.now());
  if (source.pace === 'clock' && clock.now() < due) return due;
  session.lookedAt = clock.now();
  let reading: Reading;
  try {
    reading = await readingOf(context, session, source);
  } catch (error) {
    // The rest of an input with such a line can never be read, however often one tries.
    if (!(error instanceof LukhasError) || error.code !== 'OBSERVATION') throw error;
    return fail(context, session, error);
  }
  await record(context, session, reading);
  if (isTerminal(session.canary.state) || source.pace === 'input') return clock.now();
  return dueAt(session, clock.now());
}

/** Ends a canary that cannot be measured at all. */
async function fail(context: AdvanceContext, session: Session, { code, message }: LukhasError): Promise<number> {
  const now = context.clock.now();
  await commit(context, session, [
    { kind: 'canary.failed', subject: session.canary.id, ts: timestamp(now), data: { code, message } },
  ]);
  return now;
}

async function readingOf(context: AdvanceContext, session: Session, source: MetricSource): Promise<Reading> {
  const { canary, cursor } = session;
  const kept = context.unrecorded.get(canary.id);
  if (kept) return kept;
  if (cursor === null && source.pace === 'input' && session.count > 0) throw placeLost(canary.id);
  const reading = await source.read({
    modelId: canary.modelId,
    canaryGate: canary.fromGate,
    baselineGate: canary.toGate,
    windowSeconds: canary.policy.windowSeconds,
    at: context.clock.now(),
    cursor,
    scalars: canary.policy.objectives.map((o) => o.name),
    withBaseline: canary.policy.baseline !== 'none',
    ...(context.signal ? { signal: context.signal } : {}),
  });
  if (source.pace === 'input') context.unrecorded.set(canary.id, reading);
  else if (cursor === null && session.counted) {
    const { notes = [] } = reading.observation;
    reading.observation.notes = ['no stored counters: counts since the last check are left out', ...notes];
  }
  return reading;
}

/** Read again from its beginning, an input would be counted twice. */
function placeLost(id: string): LukhasError {
  return new LukhasError('LEDGER_CORRUPT', `the stored place of canary ${id} in its observations is missing`, {
    suggestions: [`End it (lukhas canary abort ${id} --reason "...") and start a new one.`],
  });
}

/**
 * Where the clock was set back since the last observation, as where a source's clock lags, this process's own looks
 * count: the next one is due an interval after them, neither at once nor only when the old time comes again.
 */
function dueAt({ canary, judgement, lookedAt }: Session, now: number): number {
  const { startedAt, policy } = canary;
  const lastAt = judgement?.last?.t;
  if (startedAt === null || lastAt === undefined) return now;
  const marks = [lastAt, lookedAt].filter((mark) => mark !== null && mark <= now) as number[];
  return marks.length === 0 ? now : nextDue(policy, startedAt, Math.max(...marks));
}

/** Commits the observation, its events, the cursor and the canary's head in one transaction. */
async function record(context: AdvanceContext, session: Session, reading: Reading): Promise<void> {
  const { canary } = session;
  const observation = numbered(session, reading);
  const now = context.clock.now();
  const events: EventDraft[] = [];
  if (canary.startedAt === null) {
    const startedAt = observation.from;
    events.push({ kind: 'canary.started', subject: canary.id, ts: timestamp(now), data: { startedAt } });
    session.judgement = begin(canary.policy, startedAt);
  }
  const line = canonicalJson(observation, `observation of ${canary.id}`);
  take(session, observation, line);
  if (reading.cursor !== null) session.cursor = reading.cursor;
  events.push(...eventsOfTick(session, observation, now));
  // A rollback is never kept back; a promotion is not recorded on entries that are not as they were recorded.
  if (events.some((e) => e.kind === 'canary.decided' && e.data.verdict.decision === 'promote'))
    await context.ledger.provenEvents({ subject: canary.id });
  await commit(context, session, events, { observation, line });
  context.unrecorded.delete(canary.id);
  context.onTick?.({ session, observation, events });
}

/** Ticks are numbered by what is recorded; time never runs backwards in it, whatever the clocks did. */
function numbered(session: Session, reading: Reading): Observation {
  const last = session.judgement?.last;
  const { tick, ...rest } = reading.observation;
  const observation: Observation = { ...rest, tick: tick ?? (last ? last.tick + 1 : 0) };
  if (last && observation.t < last.t) {
    const behind = ((last.t - observation.t) / 1000).toFixed(1);
    observation.notes = [...(observation.notes ?? []), `the clock is ${behind} s behind the previous check`];
    observation.t = last.t;
    observation.from = Math.min(observation.from, last.t);
  }
  return observation;
}

async function commit(
  context: AdvanceContext,
  session: Session,
  events: readonly EventDraft[],
  observed?: { observation: Observation; line: string },
): Promise<void> {
  const { ledger, holder } = context;
  const { canary } = session;
  const foreseen = events.reduce((c, e, i) => applyEvent(c, asStored(e, canary.lastSeq + 1 + i)), canary);
  const written = await ledger.commit({
    events,
    ...(observed ? { observations: [{ canaryId: canary.id, ...observed, afterEvents: starts(events) }] } : {}),
    ...(session.cursor === null ? {} : { cursors: [{ canaryId: canary.id, cursor: session.cursor }] }),
    ...(events.length > 0 ? { summaries: [canarySummary(foreseen)] } : {}),
    expect: [
      { lease: canary.id, holder },
      { subject: canary.id, lastSeq: canary.lastSeq },
    ],
  });
  session.canary = written.reduce((c: Canary, e) => applyEvent(c, e), canary);
}

/** A canary has started before its first look is told. */
function starts(events: readonly EventDraft[]): number {
  return events[0]?.kind === 'canary.started' ? 1 : 0;
}

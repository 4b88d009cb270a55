import { createHash } from 'node:crypto';
import type { Canaries } from '../canary/index.js';
import { LukhasError } from '../errors.js';
import type { Evidence, Narrative } from '../explain/index.js';
import { mathOf, mathUnknown, narrateCanary, narrateUnknown, type WhyMath } from '../explain/index.js';
import { type JobHistory, mathOfJob, narrateJob, narrateModel, narratePromotion } from '../explain/narrate/index.js';
import { gateHistory, listGates, promotionOfChange } from '../gates/index.js';
import { JOB } from '../jobs/index.js';
import type { Observation } from '../judge/index.js';
import { judge } from '../judge/index.js';
import type { Ledger, StoredEvent } from '../ledger/index.js';
import { resolveId } from '../ledger/index.js';
import { parsed } from '../ledger/sqlite/index.js';
import { policyDigest } from '../ledger/tree/index.js';
import {
  type CanaryHistory,
  type Facts,
  factsOf,
  foldCanary,
  type GateEntry,
  hasOwnTimes,
  type InterimVerdict,
} from '../readings/index.js';
import type { CanaryEntries } from '../view/index.js';

/** What is read: an App, or its parts. */
interface Log {
  ledger: Ledger;
  canaries: Pick<Canaries, 'resolve'>;
}

interface Asked {
  /** Tell it as it was known then, ms since the epoch. */
  at?: number | undefined;
}

/** Canaries of a model that are told one by one. */
const NEWEST = 20;
/** Changes of a gate that its page shows. */
const MOST_CHANGES = 200;

/**
 * What the log says about a canary (by its id or a unique beginning of it), a job likewise, a model or a promotion, in words.
 * @returns about `unknown` when it is none of them
 * @throws LukhasError AMBIGUOUS_ID
 */
export async function why(log: Log, id: string, { at }: Asked = {}): Promise<Narrative> {
  const asOf = at ?? null;
  const found = await find(log, id);
  if (found?.type === 'model') return tellModel(log.ledger, id, asOf);
  if (found?.type === 'promotion') return tellPromotion(log.ledger, id, asOf);
  if (found?.type === 'job') return narrateJob(await jobHistory(log.ledger, found.id, asOf));
  return found ? narrateCanary(await canaryHistory(log.ledger, found.id, asOf)) : narrateUnknown(id, asOf);
}

/**
 * The numbers behind a canary's decision; for a model, those of its newest canary, for a promotion of the one it stands on;
 * for a job its state and metrics.
 * @returns decision `unknown` when there is none
 * @throws LukhasError AMBIGUOUS_ID
 */
export async function whyMath(log: Log, id: string, { at }: Asked = {}): Promise<WhyMath> {
  const asOf = at ?? null;
  const found = await find(log, id);
  if (found?.type === 'job') return mathOfJob(await jobHistory(log.ledger, found.id, asOf));
  const newest = found ? await canaryBehind(log.ledger, found, asOf) : undefined;
  if (newest === undefined) return mathUnknown(id, asOf);
  const history = await canaryHistory(log.ledger, newest, asOf);
  return mathOf(history, await evidenceOf(log.ledger, history));
}

/**
 * What the log holds of a canary, but for its observations: its entries, each proved by the hash beside it.
 * @param position place in the feed as of which it is read
 * @throws LukhasError NOT_FOUND, AMBIGUOUS_ID, LEDGER_CORRUPT
 */
export async function canaryEntries(log: Log, given: string, position: string): Promise<CanaryEntries> {
  const id = await log.canaries.resolve(given);
  const { events, gate } = await storedHistory(log.ledger, id, null);
  const policy = factsOf(id, events)?.requested.data.policy ?? null;
  return { id, position, events: [...events], gate: [...gate], policyDigest: policyDigest(policy) };
}

type Found = { type: 'canary' | 'model' | 'promotion' | 'job'; id: string } | null;

/** What is named exactly comes before what merely begins so. */
async function find({ ledger, canaries }: Log, id: string): Promise<Found> {
  if (id === '') return null;
  const kinds = Object.keys(ABOUT) as (keyof typeof ABOUT)[];
  const [request] = await ledger.events({ subject: id, kinds, limit: 1 });
  if (request) return { type: ABOUT[request.kind as keyof typeof ABOUT], id };
  if (await isModel(ledger, id)) return { type: 'model', id };
  const canary = await unlessUnknown(canaries.resolve(id));
  if (canary !== null) return { type: 'canary', id: canary };
  const job = await unlessUnknown(resolveId(ledger, id, JOB));
  return job === null ? null : { type: 'job', id: job };
}

/** What the first entry about something says that it is. */
const ABOUT = { 'canary.requested': 'canary', 'promotion.requested': 'promotion', 'job.queued': 'job' } as const;

async function unlessUnknown(resolved: Promise<string>): Promise<string | null> {
  try {
    return await resolved;
  } catch (error) {
    if (error instanceof LukhasError && error.code === 'NOT_FOUND') return null;
    throw error;
  }
}

async function jobHistory(ledger: Ledger, id: string, asOf: number | null): Promise<JobHistory> {
  return { id, events: (await ledger.intactEvents(id)).filter((e) => isKnown(e.ts, asOf)), asOf };
}

async function isModel(ledger: Ledger, id: string): Promise<boolean> {
  for (const kind of ['canary.requested', 'promotion.requested'] as const)
    if ((await ledger.events({ kinds: [kind], modelId: id, limit: 1 })).length > 0) return true;
  return (await gatesOfModel(ledger, id, null)).length > 0;
}

/** The canary whose numbers are meant. */
async function canaryBehind(ledger: Ledger, { type, id }: NonNullable<Found>, asOf: number | null) {
  if (type === 'canary') return id;
  if (type === 'model') return newestOf(ledger, id, asOf);
  const [request] = await ledger.events({ subject: id, kinds: ['promotion.requested'], limit: 1 });
  return request?.kind === 'promotion.requested' ? (request.data.canaryId ?? undefined) : undefined;
}

async function canaryHistory(ledger: Ledger, id: string, asOf: number | null): Promise<CanaryHistory> {
  const history = await storedHistory(ledger, id, asOf);
  return { ...history, interim: await standingOf(ledger, history) };
}

/** What is recorded of a canary, without how it stands by its readings. */
async function storedHistory(ledger: Ledger, id: string, asOf: number | null): Promise<CanaryHistory> {
  const events = await eventsOfCanary(ledger, id, asOf);
  const facts = factsOf(id, events);
  const gate = facts ? await gateOfCanary(ledger, facts, asOf) : [];
  return { id, events, gate: gate.filter((g) => isKnown(g.ts, asOf)), interim: null, asOf };
}

/** @throws LukhasError LEDGER_CORRUPT when one is not as it was recorded, or cannot follow those before it */
async function eventsOfCanary(ledger: Ledger, id: string, asOf: number | null): Promise<StoredEvent[]> {
  const events = await ledger.intactEvents(id);
  foldCanary(events);
  return events.filter((e) => isKnown(e.ts, asOf));
}

function isKnown(ts: string, asOf: number | null): boolean {
  return asOf === null || Date.parse(ts) <= asOf;
}

/** How a canary that nothing has decided stands, by the same judge and what had been read by then. */
async function standingOf(ledger: Ledger, history: CanaryHistory): Promise<InterimVerdict> {
  const facts = factsOf(history.id, history.events);
  if (!facts?.started || facts.decided) return null;
  if (history.asOf !== null && hasOwnTimes(facts)) return 'not known';
  const { observations } = await evidenceOf(ledger, history);
  if (observations.length === 0) return 'pruned';
  return judge(facts.requested.data.policy, facts.started.data.startedAt, observations);
}

/** The observations that were judged or, where nothing was decided, those up to the time asked for. */
async function evidenceOf(ledger: Ledger, { id, events, asOf }: CanaryHistory): Promise<Evidence> {
  const facts = factsOf(id, events);
  const lastTick = facts?.decided?.data.verdict.tick ?? Number.POSITIVE_INFINITY;
  const lastAt = facts?.decided ? Number.POSITIVE_INFINITY : (asOf ?? Number.POSITIVE_INFINITY);
  const observations: Observation[] = [];
  const digest = createHash('sha256');
  for await (const line of ledger.observationLines(id)) {
    const observation = parsed<Observation>(line, `an observation of ${id}`);
    if (observation.tick > lastTick || observation.t > lastAt) break;
    observations.push(observation);
    digest.update(`${line}\n`);
  }
  const policy = facts?.requested.data.policy ?? null;
  return { observations, digest: digest.digest('hex'), policyDigest: policyDigest(policy) };
}

/** A gate that many have passed since is not read whole: the canary's own changes lie between its events. */
async function gateOfCanary(
  ledger: Ledger,
  { id, requested, acted }: Facts,
  asOf: number | null,
): Promise<GateEntry[]> {
  const gate = requested.data.toGate;
  if (asOf !== null) return gateEntries(ledger, gate);
  const end = acted === null ? {} : { to: acted.seq };
  const own = await gateEntries(ledger, gate, { from: requested.seq, ...end, mentions: id });
  const newest = await gateEntries(ledger, gate, { limit: 1, newest: true });
  return [...own, ...newest.filter(({ seq }) => own.every((entry) => entry.seq !== seq))];
}

/** The newest changes of a gate's holder, and how each came about; in order. */
export function gateStory(ledger: Ledger, gate: string): Promise<GateEntry[]> {
  return gateEntries(ledger, gate, { limit: MOST_CHANGES, newest: true });
}

async function gateEntries(
  ledger: Ledger,
  gate: string,
  which?: Parameters<typeof gateHistory>[2],
): Promise<GateEntry[]> {
  const entries = (await gateHistory(ledger, gate, which)).map((change) => ({ ...change, gate }));
  return Promise.all(
    entries.map(async (entry) => {
      const promotion = entry.canaryId === null ? await promotionOfChange(ledger, entry) : null;
      return promotion === null ? entry : { ...entry, promotion };
    }),
  );
}

async function tellPromotion(ledger: Ledger, id: string, asOf: number | null): Promise<Narrative> {
  const events = (await ledger.intactEvents(id)).filter((e) => isKnown(e.ts, asOf));
  const requested = events.find((e) => e.kind === 'promotion.requested');
  const gate = requested ? await gateEntries(ledger, requested.data.gate) : [];
  return narratePromotion({ id, events, gate: gate.filter((g) => isKnown(g.ts, asOf)), asOf });
}

/** Every change by which the model entered or left a gate, in order. */
async function gatesOfModel(ledger: Ledger, modelId: string, asOf: number | null): Promise<GateEntry[]> {
  const gates = await listGates(ledger);
  const all = await Promise.all(gates.map(({ gate }) => gateEntries(ledger, gate, { mentions: modelId })));
  return all
    .flat()
    .filter(({ ts, modelId: next, previous }) => isKnown(ts, asOf) && (next === modelId || previous === modelId))
    .sort((a, b) => a.seq - b.seq);
}

async function newestOf(ledger: Ledger, modelId: string, asOf: number | null): Promise<string | undefined> {
  return (await requestsOf(ledger, modelId, { asOf, limit: 1 }))[0]?.subject;
}

/** Requests of canaries of a model, newest first, from the log: of now the newest, of the past all that were there. */
async function requestsOf(
  ledger: Ledger,
  modelId: string,
  { asOf, limit }: { asOf: number | null; limit: number },
): Promise<StoredEvent[]> {
  const newest = asOf === null ? { limit, newest: true } : {};
  const events = await ledger.events({ kinds: ['canary.requested'], modelId, ...newest });
  return events.filter(({ ts }) => isKnown(ts, asOf)).reverse();
}

async function tellModel(ledger: Ledger, id: string, asOf: number | null): Promise<Narrative> {
  const requests = await requestsOf(ledger, id, { asOf, limit: NEWEST });
  const count = asOf === null ? (await ledger.listingGap('canary', id)).inLog : requests.length;
  const gates = await gatesOfModel(ledger, id, asOf);
  if (requests.length === 0 && gates.length === 0) return narrateUnknown(id, asOf);
  const canaries = await Promise.all(
    requests.slice(0, NEWEST).map(async ({ subject }) => {
      return { id: subject, events: await eventsOfCanary(ledger, subject, asOf) };
    }),
  );
  return narrateModel({ id, gates, canaries, older: count - canaries.length, asOf });
}

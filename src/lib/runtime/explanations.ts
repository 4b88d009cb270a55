import { createHash } from 'node:crypto';
import type { Canaries } from '../canary/canaries.js';
import { LukhasError } from '../errors.js';
import { type CanaryHistory, factsOf, type GateEntry, hasOwnTimes, type Standing } from '../explain/history.js';
import { mathOf, mathUnknown, type WhyMath } from '../explain/math.js';
import { narrateModel } from '../explain/narrate-model.js';
import { narrateCanary, narrateUnknown } from '../explain/narrative.js';
import type { Evidence } from '../explain/recheck.js';
import type { Narrative } from '../explain/section.js';
import { gateHistory, listGates } from '../gates/registry.js';
import type { Observation } from '../judge/observation.js';
import { judge } from '../judge/report.js';
import { canonicalJson } from '../ledger/canonical.js';
import type { Ledger } from '../ledger/ledger.js';

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

/**
 * What the log says about a canary (by its id or a unique beginning of it) or a model, in words.
 * @returns about `unknown` when it is neither
 * @throws LukhasError AMBIGUOUS_ID
 */
export async function why(log: Log, id: string, { at }: Asked = {}): Promise<Narrative> {
  const asOf = at ?? null;
  const found = await find(log, id);
  if (found?.type === 'model') return tellModel(log.ledger, id, asOf);
  return found ? narrateCanary(await canaryHistory(log.ledger, found.id, asOf)) : narrateUnknown(id, asOf);
}

/**
 * The numbers behind a canary's decision; for a model, those of its newest canary.
 * @returns decision `unknown` when there is none
 * @throws LukhasError AMBIGUOUS_ID
 */
export async function whyMath(log: Log, id: string, { at }: Asked = {}): Promise<WhyMath> {
  const asOf = at ?? null;
  const found = await find(log, id);
  const newest = found?.type === 'model' ? await newestOf(log.ledger, id, asOf) : found?.id;
  if (newest === undefined) return mathUnknown(id, asOf);
  const history = await canaryHistory(log.ledger, newest, asOf);
  return mathOf(history, await evidenceOf(log.ledger, history));
}

type Found = { type: 'canary' | 'model'; id: string } | null;

/** What is named exactly comes before what merely begins so. */
async function find({ ledger, canaries }: Log, id: string): Promise<Found> {
  if (id === '') return null;
  const requests = await ledger.events({ subject: id, kinds: ['canary.requested'], limit: 1 });
  if (requests.length > 0) return { type: 'canary', id };
  const known = await ledger.heads({ modelId: id, limit: 1 });
  if (known.length > 0 || (await gatesOfModel(ledger, id, null)).length > 0) return { type: 'model', id };
  try {
    return { type: 'canary', id: await canaries.resolve(id) };
  } catch (error) {
    if (error instanceof LukhasError && error.code === 'NOT_FOUND') return null;
    throw error;
  }
}

async function canaryHistory(ledger: Ledger, id: string, asOf: number | null): Promise<CanaryHistory> {
  const events = (await ledger.events({ subject: id })).filter((e) => isKnown(e.ts, asOf));
  const facts = factsOf(id, events);
  const gate = facts ? await gateEntries(ledger, facts.requested.data.toGate) : [];
  const history = { id, events, gate: gate.filter((g) => isKnown(g.ts, asOf)), standing: null, asOf };
  return { ...history, standing: await standingOf(ledger, history) };
}

function isKnown(ts: string, asOf: number | null): boolean {
  return asOf === null || Date.parse(ts) <= asOf;
}

/** How a canary that nothing has decided stands, by the same judge and what had been read by then. */
async function standingOf(ledger: Ledger, history: CanaryHistory): Promise<Standing> {
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
    const observation = parsed(line, id);
    if (observation.tick > lastTick || observation.t > lastAt) break;
    observations.push(observation);
    digest.update(`${line}\n`);
  }
  const policy = canonicalJson(facts?.requested.data.policy ?? null, 'policy');
  const policyDigest = createHash('sha256').update(policy).digest('hex');
  return { observations, digest: digest.digest('hex'), policyDigest };
}

function parsed(line: string, id: string): Observation {
  try {
    return JSON.parse(line) as Observation;
  } catch (cause) {
    throw new LukhasError('LEDGER_CORRUPT', `An observation of ${id} is not JSON`, {
      suggestions: ['See what is damaged with `lukhas verify --db`.'],
      cause,
    });
  }
}

async function gateEntries(ledger: Ledger, gate: string): Promise<GateEntry[]> {
  return (await gateHistory(ledger, gate)).map((change) => ({ ...change, gate }));
}

/** Every change of the gates that the model ever held, in order. */
async function gatesOfModel(ledger: Ledger, modelId: string, asOf: number | null): Promise<GateEntry[]> {
  const all = await Promise.all((await listGates(ledger)).map(({ gate }) => gateEntries(ledger, gate)));
  return all
    .map((changes) => changes.filter((change) => isKnown(change.ts, asOf)))
    .filter((changes) => changes.some((change) => change.modelId === modelId))
    .flat()
    .sort((a, b) => a.seq - b.seq);
}

async function newestOf(ledger: Ledger, modelId: string, asOf: number | null): Promise<string | undefined> {
  const heads = await ledger.heads({ type: 'canary', modelId });
  return heads.find((head) => isKnown(head.createdAt, asOf))?.subject;
}

async function tellModel(ledger: Ledger, id: string, asOf: number | null): Promise<Narrative> {
  const heads = (await ledger.heads({ type: 'canary', modelId: id })).filter((h) => isKnown(h.createdAt, asOf));
  const gates = await gatesOfModel(ledger, id, asOf);
  if (heads.length === 0 && gates.length === 0) return narrateUnknown(id, asOf);
  const canaries = await Promise.all(
    heads.slice(0, NEWEST).map(async ({ subject }) => {
      const events = await ledger.events({ subject });
      return { id: subject, events: events.filter((e) => isKnown(e.ts, asOf)) };
    }),
  );
  return narrateModel({ id, gates, canaries, older: heads.length - canaries.length, asOf });
}

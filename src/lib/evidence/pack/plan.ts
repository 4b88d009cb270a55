import { LukhasError } from '../../errors.js';
import type { EventKind, Ledger, Selection, SeqRange } from '../../ledger/index.js';
import { isPruningOf } from '../../ledger/index.js';
import { canonicalJson } from '../../ledger/tree/index.js';
import { DECISION_KINDS, type DecisionKind, type Outcome, outcomeOf } from '../../readings/index.js';
import { factsIn, type PackDecision, statedOutcome } from './decisions.js';
import { otherObservations } from './judged.js';

/** What a pack covers: fixed before its first byte is written, whatever is appended to the log meanwhile. */
export interface PackRequest {
  /** RFC 3339, UTC; null: from the first entry, up to the last one. */
  from: string | null;
  to: string | null;
  selection: Selection;
  /** Whether audits.csv begins with a byte order mark; default: no. */
  csvBom?: boolean;
}

export interface PackPlan {
  range: SeqRange;
  selection: Selection;
  csvBom: boolean;
  /** Of the window's first and last entry; of an empty window the last one before it. */
  firstTs: string;
  lastTs: string;
  decisions: PackDecision[];
  /** Digest of each policy that was used, with the number of an entry that contains it. */
  policies: Map<string, number>;
  judges: Set<number>;
  sources: PackSource[];
  observations: { kept: number; missing: { canaryId: string; count: number }[] };
}

/** A source of measurements as the log records it, and the queries it was asked. */
export interface PackSource {
  source: Record<string, unknown>;
  /** After substitution, by name; empty where there are none. */
  queries: Record<string, string>;
  /** The canaries of the window that were watched through it with these queries. */
  canaries: string[];
}

/** Values for the names in queries. */
export interface Asked {
  modelId: string;
  fromGate: string;
  windowSeconds: number;
}
export type FillQueries = (source: Record<string, unknown>, asked: Asked) => Promise<Record<string, string>>;

interface CanaryRequest {
  id: string;
  modelId: string;
  fromGate: string;
  toGate: string;
  policyDigest: string;
  dryRun: boolean;
  /** The policy requires people to approve a promotion first. */
  approvals: boolean;
  seq: number;
}

/** The entry that decides a canary, and its time (RFC 3339). */
interface DecidedAt {
  seq: number;
  ts: string;
  canaryId: string;
}

const KINDS: readonly EventKind[] = ['canary.requested', 'canary.reviewed', ...DECISION_KINDS];
const PATHS = [
  '$.data.modelId',
  '$.data.fromGate',
  '$.data.toGate',
  '$.data.policyDigest',
  '$.data.dryRun',
  '$.data.source',
  '$.data.policy.windowSeconds',
  '$.data.verdict.decision',
  '$.data.verdict.judge',
  '$.data.verdict.tick',
  '$.data.observations.count',
  '$.data.policy.approvals.required',
  '$.data.count',
  '$.data.required',
  '$.data.observations.digest',
  '$.data.cause',
  '$.data.begun',
];

/**
 * Reads what the pack will contain.
 * @throws LukhasError USAGE when nothing was recorded by then; LEDGER_CORRUPT, also when observations of a verdict are missing
 *   and no entry says that they were pruned
 */
export async function planPack(ledger: Ledger, request: PackRequest, fill: FillQueries): Promise<PackPlan> {
  const size = await ledger.size();
  if (size === 0) {
    throw new LukhasError('USAGE', 'The log is empty: there is nothing to export yet.', {
      suggestions: ['Is it in another database? Pass --db or set LUKHAS_MCP_DB.'],
    });
  }
  const { from, to } = await ledger.pages.window(request, size);
  if (to === 0) throw new LukhasError('USAGE', `No entries before ${request.to}: there is nothing to export.`);
  const range = { from: Math.min(from, to), to };
  const [firstTs, lastTs] = [await timeOf(ledger, Math.min(range.from, to - 1)), await timeOf(ledger, to - 1)];
  const { selection, csvBom = false } = request;
  const planner = new Planner(ledger, fill, { range, selection, csvBom, firstTs, lastTs });
  return ledger.pages.withSmallCache(() => planner.plan());
}

async function timeOf(ledger: Ledger, seq: number): Promise<string> {
  const [event] = await ledger.events({ from: seq, to: seq + 1 });
  return (event as NonNullable<typeof event>).ts;
}

class Planner {
  readonly #plan: PackPlan;
  /** Canaries requested in the window and not decided so far; those requested before it are looked up when they are decided. */
  readonly #open = new Map<string, CanaryRequest>();
  readonly #sources = new Map<string, PackSource>();
  readonly #parsed = new Map<string, Record<string, unknown>>();
  /** One copy of each string: many decisions repeat the same few. */
  readonly #texts = new Map<string, string>();
  /** The newest break-glass promotion of each canary. */
  readonly #forced = new Map<string, PackDecision>();

  constructor(
    readonly ledger: Ledger,
    readonly fill: FillQueries,
    window: Pick<PackPlan, 'range' | 'selection' | 'csvBom' | 'firstTs' | 'lastTs'>,
  ) {
    const observations = { kept: 0, missing: [] };
    this.#plan = { ...window, decisions: [], policies: new Map(), judges: new Set(), sources: [], observations };
  }

  async plan(): Promise<PackPlan> {
    const { range, selection } = this.#plan;
    for await (const page of this.ledger.pages.fields(range, KINDS, PATHS, selection)) {
      for (const [seq, ts, kind, subject, ...found] of page) {
        if (kind === 'canary.requested') await this.#requested(seq, subject, found);
        else if (kind === 'canary.reviewed') this.#reviewed(subject);
        else await this.#decided({ seq, ts, canaryId: subject }, kind as DecisionKind, found);
      }
    }
    this.#plan.sources = [...this.#sources.values()];
    return this.#plan;
  }

  async #requested(seq: number, canaryId: string, found: unknown[]): Promise<void> {
    const [modelId, fromGate, toGate, policyDigest, dryRun, source, windowSeconds] = found;
    const request = {
      id: canaryId,
      modelId: this.#one(modelId),
      fromGate: this.#one(fromGate),
      toGate: this.#one(toGate),
      policyDigest: this.#one(policyDigest),
      dryRun: dryRun === 1,
      approvals: typeof found[11] === 'number',
      seq,
    };
    this.#open.set(canaryId, request);
    await this.#note(request, String(source), Number(windowSeconds));
  }

  /** Records the policy and source of a canary decided in the window, also when it was requested before. */
  async #note(request: CanaryRequest, sourceJson: string, windowSeconds: number): Promise<void> {
    if (!this.#plan.policies.has(request.policyDigest)) this.#plan.policies.set(request.policyDigest, request.seq);
    const { modelId, fromGate } = request;
    const source = this.#sourceOf(sourceJson);
    const queries = 'queries' in source ? await this.fill(source, { modelId, fromGate, windowSeconds }) : {};
    const key = Object.keys(queries).length === 0 ? sourceJson : JSON.stringify([sourceJson, queries]);
    const known = this.#sources.get(key) ?? { source, queries, canaries: [] };
    known.canaries.push(request.id);
    this.#sources.set(key, known);
  }

  /** Parsed once: many requests repeat the same few. */
  #sourceOf(json: string): Record<string, unknown> {
    const source = this.#parsed.get(json) ?? JSON.parse(json);
    this.#parsed.set(json, source);
    return source;
  }

  async #decided(at: DecidedAt, kind: DecisionKind, found: readonly unknown[]): Promise<void> {
    const { seq, canaryId } = at;
    const facts = factsIn(kind, found);
    // One of several approvals: it leaves all as it was, whatever was asked for.
    if (outcomeOf(facts, false) === null) return;

    const [, judge, tick, observed, , , , digest] = found.slice(7);
    const request = this.#open.get(canaryId) ?? (await this.#earlier(canaryId));
    const { modelId, fromGate, toGate, policyDigest, dryRun } = request;
    const ended = outcomeOf(facts, request.approvals && !dryRun) as Outcome;
    this.#open.delete(canaryId);
    const lastTick = typeof tick === 'number' ? tick : null;
    const observations = typeof observed === 'number' ? observed : 0;
    const made: PackDecision = {
      seq,
      canaryId: request.id,
      modelId,
      fromGate,
      toGate,
      outcome: statedOutcome(ended),
      basis: ended.basis,
      policyDigest,
      kind: this.#one(kind) as DecisionKind,
      unreviewed: kind === 'canary.forced',
      lastTick,
      observations,
      digest: typeof digest === 'string' ? digest : null,
      dryRun,
    };
    this.#plan.decisions.push(made);
    if (made.unreviewed) this.#forced.set(canaryId, made);
    if (typeof judge === 'number') this.#plan.judges.add(judge);
    if (lastTick !== null) await this.#observed(made, lastTick);
  }

  #reviewed(canaryId: string): void {
    const forced = this.#forced.get(canaryId);
    if (forced) forced.unreviewed = false;
  }

  /** All observations must be there, or none: a part cannot be compared with the verdict's digest. */
  async #observed({ seq, canaryId, observations: count, digest }: PackDecision, lastTick: number): Promise<void> {
    const kept = await this.ledger.pages.countObservations(canaryId, lastTick);
    this.#plan.observations.kept += kept;
    if (kept === count) return;
    const entries = kept === 0 ? await this.ledger.events({ subject: canaryId, kinds: ['canary.pruned'] }) : [];
    const pruned = entries.some((event) => isPruningOf(event, { count, digest: digest ?? '' }));
    if (!pruned) throw otherObservations({ seq, canaryId }, `are ${kept}, but it judged ${count}`);
    this.#plan.observations.missing.push({ canaryId, count });
  }

  async #earlier(canaryId: string): Promise<CanaryRequest> {
    const [event] = await this.ledger.events({ subject: canaryId, kinds: ['canary.requested'], limit: 1 });
    if (event?.kind !== 'canary.requested') {
      throw new LukhasError('LEDGER_CORRUPT', `The log decides on canary ${canaryId}, which was never requested`, {
        suggestions: ['Run `lukhas verify --db PATH` to see what is damaged.'],
      });
    }
    const { modelId, fromGate, toGate, policyDigest, dryRun, source, policy } = event.data;
    const approvals = policy.approvals !== undefined;
    const request = { id: canaryId, modelId, fromGate, toGate, policyDigest, dryRun, approvals, seq: event.seq };
    // A canary requested in the window, or decided in it before, was recorded then.
    if (event.seq < this.#plan.range.from && !this.#plan.decisions.some((d) => d.canaryId === canaryId))
      await this.#note(request, canonicalJson(source, 'source'), policy.windowSeconds);
    return request;
  }

  #one(text: unknown): string {
    const key = String(text);
    const known = this.#texts.get(key);
    if (known !== undefined) return known;
    this.#texts.set(key, key);
    return key;
  }
}

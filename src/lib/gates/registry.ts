import { isConflict } from '../errors.js';
import { NAME_PATTERN, parseName } from '../input/index.js';
import type { Actor, EventFilter, Ledger, Unit } from '../ledger/index.js';
import { changeOf, type GateChange, gateName, gateSubject, gateSummary } from '../readings/index.js';
import type { GateLease } from './tenure.js';

export { NAME_PATTERN, parseName };

export interface GateRow {
  gate: string;
  /** The model that holds it. */
  modelId: string;
  canaryId: string | null;
  /** Since when, RFC 3339 UTC, and since which entry of the log. */
  since: string;
  seq: number;
}

interface ModelRow {
  modelId: string;
  /** Gates it holds now, by name. */
  gates: string[];
  /** Canaries it has had. */
  canaries: number;
  /** Newest event about it, RFC 3339 UTC. */
  updatedAt: string;
}

interface GateRequest {
  gate: string;
  modelId: string;
  canaryId: string | null;
  by: Actor;
  /** RFC 3339 UTC. */
  ts: string;
  /** When given, the change demands that this holder has the lease of the canary or promotion. */
  holder?: string;
  /** seq of the canary's request: no change before it is its own. */
  since?: number;
  /** When given, the change demands the lease of the gate as well. */
  turn?: GateLease;
  /** The promotion that asks, and the seq of its request: it has set the gate when this model entered it since then. */
  promotion?: { id: string; since: number };
}

const RACES = 5;

type Which = Omit<EventFilter, 'subject' | 'kinds'>;

/** Every change of a gate's holder, or those asked for; oldest first. */
export async function gateHistory(ledger: Ledger, gate: string, which: Which = {}): Promise<GateChange[]> {
  const events = await ledger.events({ ...which, subject: gateSubject(gate), kinds: ['gate.changed'] });
  return events.flatMap((event) => changeOf(event) ?? []);
}

/**
 * Makes sure that the changes of a gate are those that the log's tree has, from the newest one before an entry on: what
 * somebody's word, or a hook, stands on. One that was filed under something else meanwhile is found as well.
 * @param before seq of what stands on the gate; without it the newest change of all is where it begins
 * @throws LukhasError LEDGER_CORRUPT when they are not
 */
export async function proveGate(ledger: Ledger, gate: string, before = Number.MAX_SAFE_INTEGER): Promise<void> {
  const subject = gateSubject(gate);
  const [newest] = await ledger.events({ subject, to: before, limit: 1, newest: true });
  const from = newest !== undefined && newest.seq < before ? newest.seq : 0;
  const [first] = await ledger.provenEvents({ subject, from });
  // What an entry says of its own place is not believed before it is proved: it may send us past itself.
  if (newest !== undefined && first?.seq !== newest.seq) await ledger.provenEvents({ subject, from: 0 });
}

/** The model a gate serves, null when none ever passed it. */
export async function holderOf(ledger: Ledger, gate: string): Promise<string | null> {
  const [last] = await gateHistory(ledger, gate, { limit: 1, newest: true });
  return last?.modelId ?? null;
}

/** Every gate with its holder, by name; from the entries of the gates themselves. */
export async function listGates(ledger: Ledger): Promise<GateRow[]> {
  const rows: GateRow[] = [];
  for (const subject of await ledger.gateSubjects()) {
    const gate = subject.slice('gate:'.length);
    const [change] = await gateHistory(ledger, gate, { limit: 1, newest: true });
    if (change === undefined) continue;
    const { modelId, canaryId, ts: since, seq } = change;
    rows.push({ gate, modelId, canaryId, since, seq });
  }
  return rows.sort((a, b) => (a.gate < b.gate ? -1 : 1));
}

/** Every model that had a canary or holds a gate, by name. */
export async function listModels(ledger: Ledger): Promise<ModelRow[]> {
  const rows = new Map<string, ModelRow>();
  for (const head of await ledger.summaries()) {
    const { modelId, updatedAt } = head;
    if (head.type === 'job') continue;
    const row = rows.get(modelId) ?? { modelId, gates: [], canaries: 0, updatedAt };
    rows.set(modelId, row);
    if (head.type === 'gate') row.gates.push(gateName(head));
    else if (head.type === 'canary') row.canaries++;
    if (updatedAt > row.updatedAt) row.updatedAt = updatedAt;
  }
  for (const row of rows.values()) row.gates.sort();
  return [...rows.values()].sort((a, b) => (a.modelId < b.modelId ? -1 : 1));
}

/**
 * Makes a model the holder of a gate. Nothing is written when it holds it already, or when this canary or promotion has
 * set it before: a step repeated after a crash does not undo what others did since.
 * @throws LukhasError USAGE for a bad name; LEDGER_CONFLICT when others keep changing the gate, or the lease is lost
 */
export async function setGate(ledger: Ledger, request: GateRequest): Promise<{ changed: boolean }> {
  parseName('gate', request.gate);
  parseName('model', request.modelId);
  for (let race = 1; ; race++) {
    const unit = changeUnit(request, await gateHistory(ledger, request.gate));
    if (unit === null) return { changed: false };
    try {
      await ledger.commit(unit);
      return { changed: true };
    } catch (error) {
      const lost = isConflict(error);
      if (!lost || race === RACES) throw error;
    }
  }
}

function changeUnit(request: GateRequest, history: readonly GateChange[]): Unit | null {
  const { gate, modelId, canaryId, by, ts, holder, turn } = request;
  const last = history.at(-1);
  if (last?.modelId === modelId || history.some((change) => isOwn(request, change))) return null;
  const lease = request.promotion?.id ?? canaryId;
  const data = { gate, modelId, previous: last?.modelId ?? null, canaryId, by };
  return {
    events: [{ kind: 'gate.changed', subject: gateSubject(gate), ts, data }],
    summaries: [gateSummary(data)],
    expect: [
      { subject: gateSubject(gate), lastSeq: last?.seq ?? -1 },
      ...(holder !== undefined && lease !== null ? [{ lease, holder }] : []),
      ...(turn === undefined ? [] : [turn]),
    ],
  };
}

function isOwn({ modelId, canaryId, since = -1, promotion }: GateRequest, change: GateChange): boolean {
  if (promotion !== undefined) return change.modelId === modelId && change.seq > promotion.since;
  return canaryId !== null && change.canaryId === canaryId && change.seq > since;
}

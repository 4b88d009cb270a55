import type { EventKind, Ledger, StoredEvent } from '../../ledger/index.js';
import { EVENT_KINDS } from '../../ledger/index.js';

/** What of the log is shown. */
export interface LogSelection {
  /** Only of this canary, job, promotion, or `gate:NAME`. */
  subject?: string;
  /** Only of these kinds; left out: of all. */
  kinds?: readonly EventKind[];
  /** Only of this model. */
  model?: string;
}

export interface LogPageRequest extends LogSelection {
  /** Only entries below this number; left out: from the newest on. */
  before?: number;
  limit: number;
  /** Size of the log as its reader has seen it before. */
  since?: number;
}

/** A recorded entry, with the way from it to the root of the tree. */
export interface ProvedEntry {
  seq: number;
  /** As recorded: canonical JSON. */
  body: string;
  /** RFC 6962 audit path, lowest first, as places in `hashes`. */
  path: number[];
}

/** Entries of the log, newest first, and all that is needed to verify that they are in it. Hashes are base64. */
export interface LogPage {
  /** Of the log as of now, and its RFC 6962 tree head. */
  size: number;
  root: string;
  entries: ProvedEntry[];
  /** Each once: neighbours share most of their paths. */
  hashes: string[];
  /** Where older entries begin, as `before`; null: there are none. */
  next: number | null;
  /** RFC 9162 consistency proof from `since` to `size`; null: not asked, or the log is shorter than that. */
  consistency: string[] | null;
}

/** Entries that are searched for the selected ones at a time, and in one answer: the rest is asked for from where that ends. */
const SEARCHED = 2048;
const MOST_SEARCHED = 65_536;

export async function readLogPage(ledger: Ledger, request: LogPageRequest): Promise<LogPage> {
  const { since, limit } = request;
  const { size, root } = await ledger.root();
  const end = Math.min(request.before ?? size, size);
  const { seqs, next } = await selected(ledger, request, end, limit);
  const hashes = new Map<string, number>();
  const place = (hash: Buffer): number => {
    const text = hash.toString('base64');
    const at = hashes.get(text) ?? hashes.size;
    hashes.set(text, at);
    return at;
  };
  const entries: ProvedEntry[] = [];
  for await (const { seq, body } of recorded(ledger, seqs)) {
    entries.push({ seq, body, path: (await ledger.inclusionProof(seq, size)).map(place) });
  }
  const grown = since === undefined || since > size ? null : await ledger.consistencyProof(since, size);
  return {
    size,
    root: root.toString('base64'),
    entries: entries.reverse(),
    hashes: [...hashes.keys()],
    next,
    consistency: grown?.map((hash) => hash.toString('base64')) ?? null,
  };
}

/** Numbers of the newest selected entries below `end`, in order. */
async function selected(
  ledger: Ledger,
  { subject, kinds, model }: LogSelection,
  end: number,
  limit: number,
): Promise<{ seqs: number[]; next: number | null }> {
  const from = (seqs: number[]) => ({ seqs, next: seqs.length < limit || seqs[0] === 0 ? null : seqs[0]! });
  if (subject !== undefined) {
    const some = { subject, to: end, newest: true, ...(kinds === undefined ? {} : { kinds }) };
    if (model === undefined) return from((await ledger.events({ ...some, limit })).map(({ seq }) => seq));
    const [begun] = await ledger.events({ subject, limit: 1 });
    const its = (await ledger.events(some)).filter((event) => isOf(model, event, begun));
    return from(its.slice(-limit).map(({ seq }) => seq));
  }
  if (kinds === undefined && model === undefined) {
    const first = Math.max(0, end - limit);
    return from(Array.from({ length: end - first }, (_, i) => first + i));
  }
  const least = Math.max(0, end - MOST_SEARCHED);
  let seqs: number[] = [];
  let low = end;
  for (; low > least && seqs.length < limit; low = Math.max(least, low - SEARCHED)) {
    const range = { from: Math.max(least, low - SEARCHED), to: low };
    const selection = model === undefined ? {} : { models: [model] };
    const found: number[] = [];
    for await (const rows of ledger.pages.fields(range, kinds ?? EVENT_KINDS, [], selection))
      found.push(...rows.map(([seq]) => seq));
    seqs = [...found, ...seqs];
  }
  const newest = seqs.slice(-limit);
  const next = newest.length < seqs.length ? newest[0]! : low;
  return { seqs: newest, next: next === 0 ? null : next };
}

/** As searches of the whole log have it: a change of a gate is of who comes and who goes, all else of what was requested. */
function isOf(model: string, event: StoredEvent, begun: StoredEvent | undefined): boolean {
  if (event.kind === 'gate.changed') return event.data.modelId === model || event.data.previous === model;
  if (begun?.kind !== 'canary.requested' && begun?.kind !== 'promotion.requested') return false;
  return begun.data.modelId === model;
}

/** The bytes of these entries, in order. */
async function* recorded(ledger: Ledger, seqs: readonly number[]): AsyncGenerator<{ seq: number; body: string }> {
  for (let at = 0; at < seqs.length; ) {
    const from = seqs[at]!;
    let count = 1;
    while (seqs[at + count] === from + count) count++;
    let seq = from;
    for await (const { bytes } of ledger.pages.lines({ from, to: from + count }, '\n'))
      for (const body of bytes.toString().split('\n').slice(0, -1)) yield { seq: seq++, body };
    at += count;
  }
}

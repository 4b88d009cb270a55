import type { Ledger, LogEntry, StoredEvent } from '../ledger/index.js';
import { isReadable, readProvenLog } from '../ledger/index.js';
import { GrowingTree } from '../ledger/tree/index.js';
import { gateSubject } from '../readings/index.js';

/**
 * Which canaries and promotions the log has for each model and gate, and who holds which gate: what decides over a promotion.
 * Found by reading the whole log, each entry proved, so neither the rows of listings nor the columns beside an entry can hide
 * or add anything. The first reading takes about 2.5 s for a million entries; later ones read what is new.
 */
export class ProvenIndex {
  #tree = new GrowingTree();
  readonly #found = new Found();
  #reading: Promise<void> = Promise.resolve();

  constructor(readonly ledger: Ledger) {}

  /**
   * Reads what the log has now.
   * @throws LukhasError LEDGER_CORRUPT when it is not as it was recorded; LEDGER_TOO_NEW when an entry of whatever subject is of a
   *   kind or version that is not known here: it may be what forbids the promotion
   */
  catchUp(): Promise<void> {
    // One at a time: two readings would count the same entries twice.
    const next = this.#reading.catch(() => undefined).then(() => this.#read());
    this.#reading = next;
    return next;
  }

  /** Ids of the canaries of a model into a gate, oldest first. */
  canaries(modelId: string, gate: string): readonly string[] {
    return this.#found.asked.get(keyOf('canary.requested', modelId, gate)) ?? [];
  }

  /** Ids of the promotions of a model into a gate, oldest first. */
  promotions(modelId: string, gate: string): readonly string[] {
    return this.#found.asked.get(keyOf('promotion.requested', modelId, gate)) ?? [];
  }

  /** Gates that the model holds, by name. */
  gatesOf(modelId: string): string[] {
    const held = [...this.#found.changes].filter(([, changes]) => changes.at(-1)?.modelId === modelId);
    return held.map(([gate]) => gate).sort();
  }

  /**
   * All entries of a canary or promotion as of the last `catchUp`, proved once more as they are read.
   * @throws LukhasError LEDGER_CORRUPT
   */
  events(subject: string): Promise<StoredEvent[]> {
    return this.#prove(subject, 0, this.#found.counts.get(subject) ?? 0);
  }

  /**
   * Makes sure that who asks for the changes of a gate is given all there are, from the newest one before an entry on.
   * @param before seq of what stands on the gate; without it the newest change of all is where it begins
   * @throws LukhasError LEDGER_CORRUPT
   */
  async proveGate(gate: string, before = Number.MAX_SAFE_INTEGER): Promise<void> {
    const changes = this.#found.changes.get(gate) ?? [];
    const from = changes.findLast(({ seq }) => seq < before)?.seq ?? 0;
    await this.#prove(gateSubject(gate), from, changes.filter(({ seq }) => seq >= from).length);
  }

  #prove(subject: string, from: number, count: number): Promise<StoredEvent[]> {
    const known = { size: this.#tree.size, root: this.#tree.root(), count };
    return this.ledger.provenEvents({ subject, from, known });
  }

  async #read(): Promise<void> {
    const news = new Found();
    const isKnown = (subject: string) => this.#found.counts.has(subject);
    const tree = await readProvenLog(this.ledger, this.#tree, (entry) => news.take(entry, isKnown));
    news.unread?.();
    // Only now is it proved; nobody sees half of it.
    this.#tree = tree;
    this.#found.add(news);
  }
}

/** What a reading, or all of them, have found. */
class Found {
  /** Number of entries of each canary and promotion. */
  readonly counts = new Map<string, number>();
  /** Ids by `keyOf`, oldest first. */
  readonly asked = new Map<string, string[]>();
  /** Changes of each gate's holder, oldest first. */
  readonly changes = new Map<string, { seq: number; modelId: string }[]>();

  /** Parses the first entry that this version cannot read, which throws; null: there is none. */
  unread: (() => unknown) | null = null;

  take({ kind, subject, v, event }: LogEntry, isKnown: (subject: string) => boolean): void {
    // Refused when the whole log is read: altered bytes are damage, whatever they look like.
    if (!isReadable(kind, v)) {
      this.unread ??= event;
      return;
    }
    const count = this.counts.get(subject);
    if (count !== undefined || isKnown(subject)) this.counts.set(subject, (count ?? 0) + 1);
    else if (kind === 'canary.requested' || kind === 'promotion.requested' || kind === 'gate.changed')
      this.#begin(event());
  }

  add({ counts, asked, changes }: Found): void {
    for (const [subject, count] of counts) this.counts.set(subject, (this.counts.get(subject) ?? 0) + count);
    for (const [key, ids] of asked) for (const id of ids) push(this.asked, key, id);
    for (const [gate, list] of changes) for (const change of list) push(this.changes, gate, change);
  }

  #begin(event: StoredEvent): void {
    if (event.kind === 'gate.changed')
      push(this.changes, event.data.gate, { seq: event.seq, modelId: event.data.modelId });
    else if (event.kind === 'canary.requested') this.#ask(event, event.data.toGate);
    else if (event.kind === 'promotion.requested') this.#ask(event, event.data.gate);
  }

  #ask({ kind, subject, data }: Extract<StoredEvent, { kind: Asked }>, gate: string): void {
    this.counts.set(subject, 1);
    push(this.asked, keyOf(kind, data.modelId, gate), subject);
  }
}

function push<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}

type Asked = 'canary.requested' | 'promotion.requested';

function keyOf(kind: Asked, modelId: string, gate: string): string {
  return JSON.stringify([kind, modelId, gate]);
}

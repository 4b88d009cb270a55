import { type Asked, type Entry, waitsForApproval } from './entry.js';
import { Texts } from './members.js';

/** What the statement says of each decision that only the canary's request shows. */
export const ASKED = ['modelId', 'fromGate', 'toGate', 'policyDigest'] as const satisfies readonly (keyof Asked)[];

/**
 * What the requests in a pack asked for, by canary. A decision may come long after its request, so all are kept: as short texts,
 * because objects would take many times the memory.
 */
export class Requests {
  readonly #byCanary = new Map<string, string>();
  /** Gates and policies; models are often different for each canary. */
  readonly #texts = new Texts();

  add(entry: Entry): void {
    const { modelId, fromGate, toGate, policyDigest } = entry.data;
    const shared = [fromGate, toGate, policyDigest].map((text) => this.#texts.numberOf(text));
    this.#byCanary.set(entry.subject, JSON.stringify([waitsForApproval(entry) ? 1 : 0, ...shared, modelId]));
  }

  /** Null: the pack does not have the request of this canary. */
  of(canaryId: string): Asked | null {
    const text = this.#byCanary.get(canaryId);
    if (text === undefined) return null;
    const [, fromGate, toGate, policyDigest, modelId] = JSON.parse(text) as [number, number, number, number, unknown];
    return {
      modelId,
      fromGate: this.#texts.at(fromGate),
      toGate: this.#texts.at(toGate),
      policyDigest: this.#texts.at(policyDigest),
    };
  }

  /** Whether the promotion of this canary waits for approval; null: the pack does not have its request. */
  waits(canaryId: string): boolean | null {
    const text = this.#byCanary.get(canaryId);
    return text === undefined ? null : text.startsWith('[1');
  }
}

/** Entries that are named; of more, only their number. */
const NAMED = 20;

/** Decisions on canaries whose request is not in the pack: part of what the statement says of them cannot be compared. */
export class Unrequested {
  #count = 0;
  readonly #seqs: number[] = [];
  readonly #open: number[] = [];
  #openCount = 0;

  /** @param open the outcome is one of two, depending on the request */
  add(seq: number, open: boolean): void {
    this.#count++;
    if (this.#seqs.length < NAMED) this.#seqs.push(seq);
    if (!open) return;
    this.#openCount++;
    if (this.#open.length < NAMED) this.#open.push(seq);
  }

  /** In words; null: there is none. */
  text(): string | null {
    if (this.#count === 0) return null;
    const members = ASKED.map((name) => `predicate.decisions[].${name}`).join(', ');
    const outcome =
      this.#openCount === 0
        ? ''
        : `, and predicate.decisions[].outcome (PROMOTED, or BLOCKED until approved) of ${entries(this.#open, this.#openCount)}`;
    return `${members} in statement.dsse.json of ${entries(this.#seqs, this.#count)}${outcome}: as signed; the requests of these canaries are not in the pack`;
  }
}

function entries(seqs: readonly number[], count: number): string {
  const more = count - seqs.length;
  return `the decisions in ${count === 1 ? 'entry' : 'entries'} ${seqs.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

import type { FeedItem, Ledger, StoredEvent } from '../ledger/index.js';
import { type StreamEvent, type Subject, streamEvent, subjectOf } from './event.js';
import type { Judging } from './judging.js';

/** The part of the ledger that the stream uses. */
export type FeedSource = Pick<Ledger, 'feed' | 'feedEnd' | 'events' | 'findSubjects' | 'size' | 'root'>;

const MOST_SUBJECTS = 4096;

/** Makes events of feed items, and remembers the subjects they are about. */
export class Teller {
  readonly #source: FeedSource;
  /** Least recently used first. */
  readonly #subjects = new Map<string, Subject | null>();

  #log: string | null = null;

  constructor(source: FeedSource) {
    this.#source = source;
  }

  /**
   * Identifies this log: the first 8 hexadecimal digits of the hash of its first entry; null while the log is empty.
   */
  async log(): Promise<string | null> {
    if (this.#log === null && (await this.#source.size()) > 0) {
      // The root of one entry is its leaf hash (RFC 9162, section 2.1.1), and never changes again.
      const { root } = await this.#source.root(1);
      this.#log = root.toString('hex').slice(0, 8);
    }
    return this.#log;
  }

  /**
   * One for each item; null for items that the stream leaves out.
   * @param judging says how a canary stands after each check; left out for what happened long ago, where only the numbers
   *   of the check are told
   */
  async events(items: readonly FeedItem[], judging?: Judging): Promise<(StreamEvent | null)[]> {
    const events: (StreamEvent | null)[] = [];
    if (this.#log === null) await this.log();
    for (const item of items) {
      const id = item.type === 'event' ? item.event.subject : item.canaryId;
      const first = item.type === 'event' ? subjectOf(item.event) : null;
      // Awaits only unknown subjects: a promise for each of many events would cost more than the event.
      const subject = first ?? this.#known(id) ?? (this.#subjects.has(id) ? null : await this.#read(id));
      this.#remember(id, subject);
      const judged = judging && item.type === 'observation' ? await judging.after(id, item.observation) : null;
      events.push(streamEvent(item, subject, judged));
    }
    return events;
  }

  #known(id: string): Subject | null {
    return this.#subjects.get(id) ?? null;
  }

  async #read(id: string): Promise<Subject | null> {
    const [event] = await this.#source.events({ subject: id, kinds: FIRST_KINDS, limit: 1 });
    return event === undefined ? null : subjectOf(event);
  }

  #remember(id: string, subject: Subject | null): void {
    this.#subjects.delete(id);
    this.#subjects.set(id, subject);
    if (this.#subjects.size <= MOST_SUBJECTS) return;
    for (const oldest of this.#subjects.keys()) {
      this.#subjects.delete(oldest);
      return;
    }
  }
}

const FIRST_KINDS: readonly StoredEvent['kind'][] = ['canary.requested', 'job.queued', 'promotion.requested'];

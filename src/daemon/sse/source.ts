import type { FeedItem, Ledger, StoredEvent } from '../../lib/ledger/index.js';
import { type Frame, frameOf, type Subject, subjectOf } from './frames.js';

/** The part of the ledger that the stream uses. */
export type FeedSource = Pick<Ledger, 'feed' | 'feedEnd' | 'events' | 'findSubjects' | 'size' | 'root'>;

const MOST_SUBJECTS = 4096;

/** Makes frames of feed items, and remembers the subjects they are about. */
export class Framer {
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

  /** One for each item; null for items that the stream leaves out. */
  async frames(items: readonly FeedItem[]): Promise<(Frame | null)[]> {
    const frames: (Frame | null)[] = [];
    const log = this.#log ?? (await this.log());
    for (const item of items) {
      const id = item.type === 'event' ? item.event.subject : item.canaryId;
      const first = item.type === 'event' ? subjectOf(item.event) : null;
      // Awaits only unknown subjects: a promise for each of many events would cost more than the frame.
      const subject = first ?? this.#known(id) ?? (this.#subjects.has(id) ? null : await this.#read(id));
      this.#remember(id, subject);
      frames.push(frameOf(item, subject, log));
    }
    return frames;
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

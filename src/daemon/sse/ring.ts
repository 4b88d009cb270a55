import type { FeedPosition } from '../../lib/ledger/index.js';
import { reaches } from '../../lib/stream/index.js';
import type { Frame } from './frames.js';

/** The newest frames, shared by all clients. Frames are numbered from 0; a number is never used twice. */
export class Ring {
  readonly #slots: (Frame | undefined)[];
  readonly #maxBytes: number;
  #first = 0;
  #next = 0;
  #bytes = 0;
  #base: FeedPosition;
  #head: FeedPosition;

  constructor(events: number, maxBytes: number, start: FeedPosition) {
    this.#slots = new Array<Frame | undefined>(events).fill(undefined);
    this.#maxBytes = maxBytes;
    this.#base = start;
    this.#head = start;
  }

  /** Number of the next frame. */
  get next(): number {
    return this.#next;
  }

  get size(): number {
    return this.#next - this.#first;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The position up to which the feed has been read. */
  get head(): FeedPosition {
    return this.#head;
  }

  /** Drops the oldest frames when there are too many, or too many bytes; the newest always stays. */
  push(frame: Frame): void {
    if (this.size === this.#slots.length) this.#evict();
    this.#slots[this.#next % this.#slots.length] = frame;
    this.#next++;
    this.#bytes += frame.bytes.length;
    this.#head = frame.position;
    while (this.#bytes > this.#maxBytes && this.size > 1) this.#evict();
  }

  /** The feed has been read up to here, but the last item has no frame. */
  passed(position: FeedPosition): void {
    this.#head = position;
  }

  /** Undefined when the frame was dropped, or is not there yet. */
  at(number: number): Frame | undefined {
    return number >= this.#first && number < this.#next ? this.#slots[number % this.#slots.length] : undefined;
  }

  /** Whether the ring has everything after this position, up to the head. */
  holds(position: FeedPosition): boolean {
    return reaches(position, this.#base) && reaches(this.#head, position);
  }

  /** Number of the first frame after a position that the ring holds. */
  after(position: FeedPosition): number {
    let [low, high] = [this.#first, this.#next];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (reaches(position, this.at(middle)!.position)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #evict(): void {
    const slot = this.#first % this.#slots.length;
    const frame = this.#slots[slot]!;
    this.#slots[slot] = undefined;
    this.#first++;
    this.#bytes -= frame.bytes.length;
    this.#base = frame.position;
  }
}

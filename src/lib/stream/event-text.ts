/** A server-sent event as it was read. */
export interface ReadEvent {
  id: string;
  name: string;
  data: Record<string, unknown>;
}

/** Characters of an event that has not ended: more than any event has. */
const MOST_REST = 16 * 2 ** 20;

/**
 * Reads a stream of server-sent events piece by piece (HTML standard, section 9.2.6). What the daemon sends, no more: one line of
 * JSON for each event, and line breaks of its own.
 */
export class EventText {
  /** Id of the newest event; null before the first. */
  lastId: string | null = null;
  /** How long to wait before the next attempt, ms, as the server wants it. */
  retryMs: number | null = null;
  #rest = '';

  /** The events that this piece completes; comments, such as heartbeats, are none. */
  push(piece: string): ReadEvent[] {
    const blocks = (this.#rest + piece).split('\n\n');
    this.#rest = blocks.pop() ?? '';
    if (this.#rest.length > MOST_REST) throw new Error(`an event is longer than ${MOST_REST / 2 ** 20} MiB`);
    return blocks.flatMap((block) => this.#event(block) ?? []);
  }

  #event(block: string): ReadEvent | null {
    let [name, data] = ['message', ''];
    for (const line of block.split('\n')) {
      const [, field = '', value = ''] = /^([a-z]+): ?(.*)$/s.exec(line) ?? [];
      if (field === 'id') this.lastId = value;
      else if (field === 'event') name = value;
      else if (field === 'data') data += value;
      else if (field === 'retry' && /^\d{1,6}$/.test(value)) this.retryMs = Number(value);
    }
    if (data === '') return null;
    const read: unknown = JSON.parse(data);
    if (typeof read !== 'object' || read === null || Array.isArray(read))
      throw new Error('an event is not a JSON object');
    return { id: this.lastId ?? '', name, data: read as Record<string, unknown> };
  }
}

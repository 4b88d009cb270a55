/** A server-sent event as it was read. */
export interface ReadEvent {
  id: string;
  name: string;
  data: Record<string, unknown>;
}

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
    return { id: this.lastId ?? '', name, data: JSON.parse(data) as Record<string, unknown> };
  }
}

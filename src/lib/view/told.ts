/** An event of the stream, as whoever follows it gets it: over HTTP or from the log itself. */
export interface Told {
  /** `SEQ.ROW.LOG`: the place in the feed after it. */
  id: string;
  name: string;
  data: Readonly<Record<string, unknown>>;
}

/** The number of entries of the log up to this event. */
export function seqOf(id: string): number {
  return Number.parseInt(id, 10);
}

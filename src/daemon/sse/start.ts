import type { FeedPosition, FeedReader } from '../../lib/ledger/index.js';
import { SHORTEST_PREFIX } from '../../lib/ledger/index.js';
import { beginningOf, type FeedSource, isOfLog, reaches } from '../../lib/stream/index.js';
import type { Framer } from './frames.js';
import type { StreamRequest } from './request.js';
import type { Ring } from './ring.js';
import { type Named, namedBy, onlySubject } from './topics.js';

/** Where a stream begins, and what its `open` event says about that. */
export interface Start {
  /** With full ids, sorted and without duplicates. */
  topics: string[];
  position: FeedPosition;
  /** See `Framer.log`. */
  log: string | null;
  /** True: resumed after the id that the client sent; false: that was not possible; null: it sent none. */
  resumed: boolean | null;
  /** Whether the log has every canary, job and gate that the topics name; null when they name none. */
  known: boolean | null;
}

export interface StartOptions {
  source: FeedSource;
  framer: Framer;
  ring: Ring;
  reader: FeedReader;
}

/** @throws LukhasError LEDGER_* */
export async function startOf(asked: StreamRequest, { source, framer, ring, reader }: StartOptions): Promise<Start> {
  const { topics, known } = await withFullIds(source, asked.topics);
  const { after } = asked;
  if (after !== null && isOfLog(after, await framer.log())) {
    const { position } = after;
    if (reaches(ring.head, position) || reaches(await source.feedEnd(), position))
      return { topics, position, log: await framer.log(), resumed: true, known };
  }
  const resumed = after === null ? null : false;
  const subject = onlySubject(topics);
  const beginning = subject === null ? null : await beginningOf(source, subject);
  // Everything committed before the request must lie before the start of the stream.
  if (beginning === null) await reader.catchUp();
  const log = await framer.log();
  // The head is read last and without awaiting anything after it: nothing can be published in between.
  return { topics, position: beginning ?? ring.head, log, resumed, known };
}

/** The topics, with shortened ids replaced by full ones. */
async function withFullIds(source: FeedSource, given: readonly string[]): Promise<Pick<Start, 'topics' | 'known'>> {
  let known: boolean | null = null;
  const topics = new Set<string>();
  for (const topic of given) {
    const named = namedBy(topic);
    const id = named === null ? null : await idOf(source, named);
    topics.add(named === null || id === null ? topic : `${named.type}/${id}`);
    if (named !== null) known = known !== false && id !== null;
  }
  return { topics: [...topics].sort(), known };
}

/** Null when the log has none, or several. */
async function idOf(source: FeedSource, { type, id }: Named): Promise<string | null> {
  const [first] = await source.events({ subject: type === 'gate' ? `gate:${id}` : id, limit: 1 });
  if (first?.kind.startsWith(`${type}.`)) return id;
  if (type === 'gate' || id.length < SHORTEST_PREFIX) return null;
  const found = await source.findSubjects(id, type === 'job' ? 'job.queued' : 'canary.requested', 2);
  return found.length === 1 ? (found[0] ?? null) : null;
}

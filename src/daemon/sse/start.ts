import type { FeedPosition, FeedReader } from '../../lib/ledger/index.js';
import { SHORTEST_PREFIX } from '../../lib/ledger/index.js';
import { beginningOf } from './history.js';
import { isOfLog, reaches } from './position.js';
import type { StreamRequest } from './request.js';
import type { Ring } from './ring.js';
import type { FeedSource, Framer } from './source.js';
import { type Named, namedBy, onlySubject } from './topics.js';

/** Where a stream begins, and what `open` says of that. */
export interface Start {
  /** With whole ids, in order and without doubles. */
  topics: string[];
  position: FeedPosition;
  /** See `Framer.log`. */
  log: string | null;
  /** True: goes on after the id it sent; false: it could not; null: it sent none. */
  resumed: boolean | null;
  /** Whether the log holds every canary, job and gate that the topics name; null when they name none. */
  known: boolean | null;
}

export interface StartOptions {
  source: FeedSource;
  framer: Framer;
  ring: Ring;
  reader: FeedReader;
}

/** @throws LukhasError LEDGER_* */
export async function startOf(wish: StreamRequest, { source, framer, ring, reader }: StartOptions): Promise<Start> {
  const { topics, known } = await whole(source, wish.topics);
  const { after } = wish;
  if (after !== null && isOfLog(after, await framer.log())) {
    const { position } = after;
    if (reaches(ring.head, position) || reaches(await source.feedEnd(), position))
      return { topics, position, log: await framer.log(), resumed: true, known };
  }
  const resumed = after === null ? null : false;
  const subject = onlySubject(topics);
  const beginning = subject === null ? null : await beginningOf(source, subject);
  // What was committed before the request does not come after its beginning.
  if (beginning === null) await reader.catchUp();
  const log = await framer.log();
  // Last, and at once: what is published while something is waited for lies beyond a head that was read before.
  return { topics, position: beginning ?? ring.head, log, resumed, known };
}

/** The topics with the ids that the beginnings in them stand for. */
async function whole(source: FeedSource, given: readonly string[]): Promise<Pick<Start, 'topics' | 'known'>> {
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

/** Null when the log knows none, or several. */
async function idOf(source: FeedSource, { type, id }: Named): Promise<string | null> {
  const [first] = await source.events({ subject: type === 'gate' ? `gate:${id}` : id, limit: 1 });
  if (first?.kind.startsWith(`${type}.`)) return id;
  if (type === 'gate' || id.length < SHORTEST_PREFIX) return null;
  const heads = (await source.findSummaries(id)).filter((head) => head.type === type);
  return heads.length === 1 ? (heads[0]?.subject ?? null) : null;
}

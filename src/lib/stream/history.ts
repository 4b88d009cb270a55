import type { FeedPosition } from '../ledger/index.js';
import type { FeedSource } from './teller.js';

/**
 * The place in the feed before the first event of a canary or job.
 * @returns null when nothing is known of it
 */
export async function beginningOf(source: FeedSource, subject: string): Promise<FeedPosition | null> {
  const [first] = await source.events({ subject, limit: 1 });
  if (first === undefined) return null;
  const { seq } = first;
  // Halved until found: the feed is ordered, and asked of a place before this event it begins with an observation
  // exactly when the place is too early.
  let [low, high] = [1, (await source.feedEnd()).row];
  while (low < high) {
    const row = (low + high) >>> 1;
    const [item] = await source.feed({ seq, row }, 1);
    if (item?.type === 'observation') low = row + 1;
    else high = row;
  }
  return { seq, row: low };
}

/**
 * The seq after the last event of a canary or job to which nothing can be added but by a person; null while it goes on.
 * A stream about it alone need not read the feed beyond this place.
 */
export async function endOf(source: FeedSource, subject: string): Promise<number | null> {
  const [end] = await source.events({ subject, kinds: LAST_KINDS, limit: 1 });
  if (end === undefined) return null;
  const later = await source.events({ subject, from: end.seq });
  return (later.at(-1) ?? end).seq + 1;
}

const LAST_KINDS = ['canary.decided', 'canary.aborted', 'canary.failed', 'job.completed', 'job.failed'] as const;

/**
 * The newest part of the feed, at most about `count` items of each kind, so that whoever returns after a restart of the
 * daemon need not read them from the database one by one.
 * @returns items in order, all that came after `start`; `start` is where they begin
 */
export async function newestItems(
  source: FeedSource,
  count: number,
): Promise<{ start: FeedPosition; items: Awaited<ReturnType<FeedSource['feed']>> }> {
  const end = await source.feedEnd();
  const from = { seq: Math.max(0, end.seq - count), row: Math.max(1, end.row - count) };
  const items = await source.feed(from, 2 * count);
  // A place made up like this lies between the two numberings until both have been seen: only from then on are the
  // positions those that everybody else comes to.
  const exact = items.findIndex((item) =>
    item.type === 'event'
      ? from.row === 1 || items[0]?.type === 'observation'
      : from.seq === 0 || items[0]?.type === 'event',
  );
  const first = items[exact];
  if (first === undefined) return { start: end, items: [] };
  return { start: first.position, items: items.slice(exact + 1) };
}

import type { StoredEvent } from '../events.js';
import type { SubjectSummary } from '../ledger.js';
import { Appender } from './append.js';
import { type Connection, whileBusy } from './open.js';
import { Reader } from './read.js';

/**
 * Makes the listing rows anew from the log. The lock is taken for the end of the log and for the rows alone: until then others go on writing, which a long log takes time for.
 * @returns how many rows there are now
 */
export async function rebuild(
  { db, path, busyTimeoutMs }: Connection,
  fold: (events: AsyncIterable<StoredEvent>) => AsyncIterable<SubjectSummary>,
): Promise<number> {
  const reader = new Reader(db);
  const lock = async (): Promise<void> => {
    if (!db.inTransaction) await whileBusy(busyTimeoutMs, path, () => db.exec('BEGIN IMMEDIATE'));
  };
  async function* events(): AsyncGenerator<StoredEvent> {
    let next = 0;
    for await (const event of reader.allEvents()) {
      yield event;
      next = event.seq + 1;
    }
    await lock();
    yield* reader.allEvents(next);
  }
  const heads: SubjectSummary[] = [];
  for await (const head of fold(events())) heads.push(head);
  await lock();
  const appender = new Appender(db, reader.node);
  appender.clearHeads();
  for (const head of heads) appender.insertHead(head);
  db.exec('COMMIT');
  return heads.length;
}

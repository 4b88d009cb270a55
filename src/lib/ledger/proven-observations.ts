import { createHash } from 'node:crypto';
import { LukhasError } from '../errors.js';
import { turn } from '../turns.js';
import type { EventData, StoredEvent } from './events.js';
import type { Ledger } from './ledger.js';

/** Hashed before others have their turn: some milliseconds. */
const LINES = 2000;

type Committed = EventData['canary.decided']['observations'];

/**
 * Makes sure that the recorded observations of a canary are those that its decision commits to; there is nothing to be
 * sure of where no verdict was reached. The digest is SHA-256 over their lines, each with its newline. They may be gone
 * where an entry says that just these were pruned.
 * @param events of the canary, proved (`Ledger.provenEvents`)
 * @throws LukhasError LEDGER_CORRUPT when they are not
 */
export async function proveObservations(
  ledger: Pick<Ledger, 'observationLines'>,
  events: readonly StoredEvent[],
): Promise<void> {
  const decision = events.find((event) => event.kind === 'canary.decided');
  if (decision?.kind !== 'canary.decided') return;
  const { seq, subject, data } = decision;
  const found = await recorded(ledger, subject);
  const { count, digest } = data.observations;
  const gone = found.count === 0 && events.some((event) => isPruningOf(event, { count, digest }));
  if (gone || (found.count === count && found.digest === digest)) return;
  const what = found.count === count ? 'not the ones' : `${found.count}, not the ${count}`;
  throw new LukhasError(
    'LEDGER_CORRUPT',
    `The recorded observations of ${subject} are ${what} that the decision in entry ${seq} of the log is based on. Nothing is promoted on them.`,
    { suggestions: ['Run `lukhas verify` to see what is damaged, keep the file as it is, and restore a backup.'] },
  );
}

/** Whether the entry says that just these observations of its canary were deleted. */
export function isPruningOf(event: StoredEvent, { count, digest }: Pick<Committed, 'count' | 'digest'>): boolean {
  if (event.kind !== 'canary.pruned') return false;
  const { observations } = event.data;
  return observations.count === count && observations.digest === digest;
}

async function recorded(
  ledger: Pick<Ledger, 'observationLines'>,
  canaryId: string,
): Promise<Pick<Committed, 'count' | 'digest'>> {
  const digest = createHash('sha256');
  let count = 0;
  for await (const line of ledger.observationLines(canaryId)) {
    digest.update(`${line}\n`);
    if (++count % LINES === 0) await turn();
  }
  return { count, digest: digest.digest('hex') };
}

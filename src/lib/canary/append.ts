import { type Clock, timestamp } from '../clock.js';
import { isConflict, LukhasError } from '../errors.js';
import type { EventDraft, Expectation, Ledger, Unit } from '../ledger/index.js';
import { asStored } from '../ledger/index.js';
import { applyEvent, type Canary, canarySummary } from '../readings/index.js';
import { loadCanary } from './load.js';

/** What a verb wants to record, and what has to be so besides the canary being as it was read. */
export interface Wanted {
  event: EventDraft;
  expect?: readonly Expectation[];
}

type Draft = (canary: Canary, ts: string) => Wanted | Promise<Wanted>;
/** How the canary is read; `now` in ms since the epoch. */
type Load = (ledger: Ledger, id: string, now: number) => Promise<Canary>;

const RACES = 5;

/**
 * Reads the canary, asks what to record of it, and does so; again when something came in between.
 * @param load `provenCanary` or `provenEvidence` where what is recorded lets something pass, or keeps it from passing
 * @throws what `draft` and `load` throw
 */
export async function appendAllowed(
  ledger: Ledger,
  clock: Clock,
  id: string,
  draft: Draft,
  load: Load = loadCanary,
): Promise<Canary> {
  for (let attempt = 0; ; attempt++) {
    const canary = await load(ledger, id, clock.now());
    const { event, expect = [] } = await draft(canary, timestamp(clock.now()));
    try {
      return await appendEvent(ledger, canary, event, expect);
    } catch (error) {
      // A tick came in between; whether the step is still allowed is asked again.
      if (!isConflict(error) || attempt >= RACES) throw error;
    }
  }
}

/** Records one event of a canary (null: its first), its row, and what else belongs to it. @throws LukhasError LEDGER_CONFLICT */
export async function appendEvent(
  ledger: Ledger,
  canary: Canary | null,
  event: EventDraft,
  expect: readonly Expectation[] = [],
  more: Pick<Unit, 'prune'> = {},
): Promise<Canary> {
  const lastSeq = canary?.lastSeq ?? -1;
  const next = applyEvent(canary, asStored(event, lastSeq + 1));
  const [written] = await ledger.commit({
    events: [event],
    summaries: [canarySummary(next)],
    expect: [{ subject: event.subject, lastSeq }, ...expect],
    ...more,
  });
  return written ? applyEvent(canary, written) : next;
}

/**
 * @param least how many characters it needs, and how many different ones (capitals and spaces apart)
 * @returns the reason without the space around it
 * @throws LukhasError USAGE when it is shorter
 */
export function reasonOf(reason: string, least: { characters: number; different: number } | null = null): string {
  const text = reason.trim();
  const { characters, different } = least ?? { characters: 1, different: 1 };
  const letters = new Set([...text.toLowerCase().replace(/\s/g, '')]);
  if ([...text].length >= characters && letters.size >= different) return text;
  const why =
    least === null
      ? 'No reason given'
      : `The reason is too short: at least ${characters} characters, ${different} of them different`;
  throw new LukhasError('USAGE', `${why}. It is recorded in the log.`, { suggestions: ['--reason "..."'] });
}

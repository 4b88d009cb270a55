import { LukhasError } from '../errors.js';
import type { EventKind, Ledger, ListingGap, StoredEvent, SubjectSummary, SummaryFilter } from '../ledger/index.js';
import { Turns } from '../turns.js';
import { foldSummaries } from './summaries.js';

/** Of so many each is folded from its entries, in a few ms; thousands would take seconds. */
const MOST_FOLDED = 200;

/** What is listed, newest first. */
export interface Listing {
  summaries: SubjectSummary[];
  /** Why something may be missing here, and what to do; null: nothing is. */
  warning: string | null;
}

/** What a listing is read from. */
export type ListingSource = Pick<Ledger, 'events' | 'intactEvents' | 'summaries' | 'summary' | 'listingGap'>;

type Listed = Exclude<SubjectSummary['type'], 'gate'>;

const FIRST: Readonly<Record<Listed, EventKind>> = {
  canary: 'canary.requested',
  promotion: 'promotion.requested',
  job: 'job.queued',
};

const MANY: Readonly<Record<SubjectSummary['type'], string>> = {
  canary: 'canaries',
  promotion: 'promotions',
  job: 'jobs',
  gate: 'gates',
};

/**
 * Lists canaries, promotions or jobs, the newest 200 each as its own entries tell it: no listing row is believed. Which there are
 * comes from the log too; which are in a certain state only the rows tell, so what they may lack is said.
 */
export async function listOf(ledger: ListingSource, filter: SummaryFilter & { type: Listed }): Promise<Listing> {
  const { type, states, open, modelId, limit } = filter;
  const byState = states !== undefined || open !== undefined;
  const gap = await ledger.listingGap(type, modelId);
  const numbersSay = listingWarning(type, gap);
  const rows = byState ? await ledger.summaries(filter) : null;
  const subjects = rows?.map(({ subject }) => subject) ?? (await newestOf(ledger, type, modelId, limit));
  // Where all numbers are right, the rest of a long list is as the rows have it.
  const rest = subjects.length > MOST_FOLDED && numbersSay === null ? (rows ?? (await ledger.summaries(filter))) : [];
  const believed = new Map(rest.map((row) => [row.subject, row]));
  const summaries: SubjectSummary[] = [];
  let wrong = 0;
  const turns = new Turns();
  for (const [i, subject] of subjects.entries()) {
    await turns.next();
    const told = (i < MOST_FOLDED ? undefined : believed.get(subject)) ?? (await summaryOf(ledger, subject));
    const fits =
      told?.type === type &&
      (states?.includes(told.state) ?? true) &&
      (open === undefined || told.open === open) &&
      (modelId === undefined || told.modelId === modelId);
    if (fits) summaries.push(told);
    else wrong++;
  }
  const warning = numbersSay ?? (wrong > 0 ? doesNotMatch(type) : null);
  return { summaries, warning: warning !== null && byState ? `${warning} This list may be incomplete.` : warning };
}

/** What the numbers of rows say of a listing; null when they are those of the log. */
export function listingWarning(type: SubjectSummary['type'], { inLog, rows, statesAgree }: ListingGap): string | null {
  if (rows < inLog) return `The listing lacks ${inLog - rows} of ${inLog} ${MANY[type]}: run lukhas db rebuild.`;
  if (rows > inLog) return `The listing has more ${MANY[type]} than the log (${rows - inLog}): run lukhas db rebuild.`;
  return statesAgree ? null : doesNotMatch(type);
}

function doesNotMatch(type: SubjectSummary['type']): string {
  return `The listing of ${MANY[type]} does not match the log: run lukhas db rebuild.`;
}

async function newestOf(
  ledger: ListingSource,
  type: Listed,
  modelId: string | undefined,
  limit: number | undefined,
): Promise<string[]> {
  const which = { kinds: [FIRST[type]], newest: true, ...(limit === undefined ? {} : { limit }) };
  const events = await ledger.events({ ...which, ...(modelId === undefined ? {} : { modelId }) });
  return events.reverse().map(({ subject }) => subject);
}

/** A subject whose entries are damaged is shown as its row has it: `why` and `verify` name the entry. */
async function summaryOf(ledger: ListingSource, subject: string): Promise<SubjectSummary | null> {
  try {
    for await (const summary of foldSummaries(each(await ledger.intactEvents(subject)))) return summary;
    return null;
  } catch (error) {
    if (!(error instanceof LukhasError) || error.code !== 'LEDGER_CORRUPT') throw error;
    return await ledger.summary(subject);
  }
}

async function* each(events: readonly StoredEvent[]): AsyncGenerator<StoredEvent> {
  yield* events;
}

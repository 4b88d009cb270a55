import { LukhasError } from '../../errors.js';
import type { FeedItem, Ledger, StoredEvent, SubjectSummary } from '../../ledger/index.js';
import { ENDED_KINDS, listOf } from '../../readings/index.js';
import { eventId, type Judging, streamEvent, subjectOf, type Teller } from '../../stream/index.js';
import { Turns } from '../../turns.js';
import { type CanaryRow, emptyOverview, type Overview, type OverviewJson, take } from '../../view/index.js';

/** What an overview is read from. */
export interface OverviewSource {
  ledger: Ledger;
  teller: Teller;
  /** Left out: how running canaries stand is not read, which is what takes long (`readStandings`). */
  judging?: Judging;
}

type RowSource = Pick<OverviewSource, 'ledger' | 'judging'>;

/** Ended canaries and jobs in a list, the newest; open ones are all listed. */
const MOST_LISTED = 200;
/** Checks of a running canary that its sparklines show at first. */
const CHECKS = 40;

/**
 * All that lists show, as of a place in the stream: whoever follows the stream from there on misses nothing. The rows are
 * folded from the same events that the stream sends.
 */
export async function readOverview({ ledger, teller, judging }: OverviewSource): Promise<OverviewJson> {
  // Read first: what is committed meanwhile is both in the rows and in the stream, and counts once.
  const position = eventId(await ledger.feedEnd(), await teller.log());
  const overview = emptyOverview();
  const source = { ledger, ...(judging && { judging }) };
  const turns = new Turns();
  let damaged = 0;
  const canaries = await newest(ledger, 'canary');
  for (const id of canaries.ids) {
    await turns.next();
    if (await isIntact(takeCanary(overview, source, id))) continue;
    overview.canaries.delete(id);
    damaged++;
  }
  const jobs = await newest(ledger, 'job');
  for (const id of jobs.ids) {
    await turns.next();
    if (await isIntact(takeSubject(overview, ledger, id))) continue;
    overview.jobs.delete(id);
    damaged++;
  }
  for (const subject of await ledger.gateSubjects()) {
    const [change] = await ledger.events({ subject, kinds: ['gate.changed'], limit: 1, newest: true });
    if (change !== undefined) takeItem(overview, change, null);
  }
  return {
    position,
    canaries: [...overview.canaries.values()],
    jobs: [...overview.jobs.values()],
    gates: [...overview.gates.values()],
    older: { canaries: canaries.older, jobs: jobs.older },
    warning: damaged > 0 ? DAMAGED : (canaries.warning ?? jobs.warning),
  };
}

const DAMAGED = 'Canaries or jobs with damaged entries are not listed: run lukhas verify.';

/** Rows of these canaries; those whose entries are damaged are left out. */
export async function readRows(source: RowSource, ids: readonly string[]): Promise<ReadonlyMap<string, CanaryRow>> {
  const overview = emptyOverview();
  const turns = new Turns();
  for (const id of ids) {
    await turns.next();
    if (!(await isIntact(takeCanary(overview, source, id)))) overview.canaries.delete(id);
  }
  return overview.canaries;
}

/**
 * How running canaries stand, one after another, for rows that were read without.
 * @param found called with the row of each; false: no more
 */
export async function readStandings(
  source: Required<RowSource>,
  rows: Iterable<CanaryRow>,
  found: (row: CanaryRow) => boolean,
): Promise<void> {
  for (const { id, state, glance } of rows) {
    if (state !== 'RUNNING' || glance !== null) continue;
    const row = (await readRows(source, [id])).get(id);
    if (row !== undefined && !found(row)) return;
  }
}

/** @returns false where an entry is damaged: `why` and `verify` name it */
async function isIntact(reading: Promise<unknown>): Promise<boolean> {
  try {
    await reading;
    return true;
  } catch (error) {
    if (!(error instanceof LukhasError) || error.code !== 'LEDGER_CORRUPT') throw error;
    return false;
  }
}

async function takeCanary(overview: Overview, { ledger, judging }: RowSource, id: string): Promise<void> {
  const subject = await takeSubject(overview, ledger, id);
  if (judging !== undefined && overview.canaries.get(id)?.state === 'RUNNING')
    await takeChecks(overview, { ledger, judging }, id, subject);
}

async function newest(ledger: Ledger, type: Extract<SubjectSummary['type'], 'canary' | 'job'>) {
  const { summaries, warning } = await listOf(ledger, { type, limit: MOST_LISTED });
  const ids = new Set([...(await ledger.openSubjects(type, ENDED_KINDS)), ...summaries.map(({ subject }) => subject)]);
  const { inLog } = await ledger.listingGap(type);
  return { ids, warning, older: Math.max(0, inLog - ids.size) };
}

type Subject = ReturnType<typeof subjectOf>;

async function takeSubject(overview: Overview, ledger: Ledger, id: string): Promise<Subject> {
  const events = await ledger.events({ subject: id });
  const subject = events[0] === undefined ? null : subjectOf(events[0]);
  for (const event of events) takeItem(overview, event, subject);
  return subject;
}

function takeItem(overview: Overview, event: StoredEvent, subject: Subject): void {
  tell(overview, { type: 'event', event, position: { seq: event.seq + 1, row: 1 } }, subject);
}

function tell(overview: Overview, item: FeedItem, subject: Subject, judged: Judged = null): void {
  const told = streamEvent(item, subject, judged);
  if (told !== null) take(overview, { id: eventId(item.position, null), ...told });
}

type Judged = Awaited<ReturnType<Judging['newest']>>;

/** The newest checks of a running canary, and how it stands by all of them. */
async function takeChecks(
  overview: Overview,
  { ledger, judging }: Required<RowSource>,
  id: string,
  subject: Subject,
): Promise<void> {
  const judged = await judging.newest(id);
  if (judged === null) return;
  const page = await ledger.observations(id, Math.max(-1, judged.tick - CHECKS));
  const { seq } = overview.canaries.get(id)!;
  for (const observation of page) {
    if (observation.tick > judged.tick) break;
    const item: FeedItem = { type: 'observation', canaryId: id, observation, position: { seq, row: 1 } };
    tell(overview, item, subject, observation.tick === judged.tick ? judged : withoutValues(judged));
  }
}

/** Of checks before the newest the values over the window are not known any more. */
function withoutValues(judged: NonNullable<Judged>): NonNullable<Judged> {
  return { ...judged, objectives: judged.objectives.map((o) => ({ ...o, value: null })) };
}

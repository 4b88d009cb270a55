import type { App } from '../../lib/app/index.js';
import { readRows, readStandings } from '../../lib/app/watching/index.js';
import type { CanaryState, SubjectSummary } from '../../lib/ledger/index.js';
import { Judging } from '../../lib/stream/index.js';
import { paint } from '../present.js';
import type { Styled } from '../screen.js';
import { isUnreviewed } from '../unreviewed.js';
import { isUnjudged, type Listed, listedTable } from './tables.js';

/** Running canaries are judged from their first check: how long it may take to show their numbers. */
const MOST_MS = 1000;

/** So many are shown with their numbers, which are read from their entries; what the rest is stands in the listing. */
const MOST = 200;

/** What `canary list` shows, in the order that is given, and how many running canaries are shown without their numbers. */
export async function presentList(
  { ledger, clock }: Pick<App, 'ledger' | 'clock'>,
  summaries: readonly SubjectSummary[],
  noColor: boolean | undefined,
): Promise<{ shown: Styled | string; unjudged: number }> {
  const ids = summaries.slice(0, MOST).map(({ subject }) => subject);
  const rows = new Map(await readRows({ ledger }, ids));
  const until = clock.monotonic() + MOST_MS;
  await readStandings({ ledger, judging: new Judging(ledger) }, [...rows.values()], (row) => {
    rows.set(row.id, row);
    return clock.monotonic() < until;
  });
  const pen = paint(process.stdout, noColor);
  const listed = summaries.map((summary): Listed => {
    const { subject: id, state, modelId, data } = summary;
    return {
      ...{ id, modelId, state: state as CanaryState },
      fromGate: String(data['fromGate']),
      toGate: String(data['toGate']),
      dryRun: data['dryRun'] === true,
      row: rows.get(id) ?? null,
      notes: notesOf(summary),
    };
  });
  return { shown: listedTable(listed, clock.now(), pen), unjudged: [...rows.values()].filter(isUnjudged).length };
}

/** The state says what was decided, not whether it could be done. */
function notesOf(summary: SubjectSummary): string[] {
  return [
    ...(isUnreviewed(summary) ? ['break-glass, not reviewed'] : []),
    ...(summary.data['action'] === 'failed' ? ['hook failed'] : []),
  ];
}

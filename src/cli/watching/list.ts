import type { App } from '../../lib/app/index.js';
import { readRows } from '../../lib/app/watching/index.js';
import type { CanaryState, SubjectSummary } from '../../lib/ledger/index.js';
import { Judging } from '../../lib/stream/index.js';
import { paint } from '../present.js';
import type { Styled } from '../screen.js';
import { isUnreviewed } from '../unreviewed.js';
import { type Listed, listedTable } from './tables.js';

/** So many are shown with their numbers, which are read from their entries; what the rest is stands in the listing. */
const MOST = 200;

/** What `canary list` shows, in the order that is given. */
export async function presentList(
  { ledger, clock }: Pick<App, 'ledger' | 'clock'>,
  summaries: readonly SubjectSummary[],
  noColor: boolean | undefined,
): Promise<Styled | string> {
  const ids = summaries.slice(0, MOST).map(({ subject }) => subject);
  const rows = await readRows({ ledger, judging: new Judging(ledger) }, ids);
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
  return listedTable(listed, clock.now(), pen);
}

/** The state says what was decided, not whether it could be done. */
function notesOf(summary: SubjectSummary): string[] {
  return [
    ...(isUnreviewed(summary) ? ['break-glass, not reviewed'] : []),
    ...(summary.data['action'] === 'failed' ? ['hook failed'] : []),
  ];
}

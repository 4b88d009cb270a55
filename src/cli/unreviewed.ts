import type { SubjectSummary } from '../lib/ledger/index.js';

/** Promoted without the approvals that its policy wants, and nobody has reviewed that. */
export function isUnreviewed({ data }: Pick<SubjectSummary, 'data'>): boolean {
  return data['breakGlass'] === 'not reviewed';
}

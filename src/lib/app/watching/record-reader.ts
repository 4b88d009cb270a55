import type { CanaryRecord } from '../../view/index.js';
import type { App } from '../app.js';
import { canaryEntries } from '../explanations.js';
import { Records } from './records.js';

/** Reads canaries of a log that is open anyway, again and again; checks that were read are not read again. */
export function recordReader(app: Pick<App, 'ledger' | 'canaries'>): (id: string) => Promise<CanaryRecord> {
  const records = new Records(async (id, after) =>
    (await app.ledger.observationPage(id, after)).map(({ body }) => body),
  );
  return async (id) => {
    const { seq, row } = await app.ledger.feedEnd();
    return records.read(await canaryEntries(app, id, `${seq}.${row}`));
  };
}

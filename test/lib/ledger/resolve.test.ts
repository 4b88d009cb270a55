import Database from 'better-sqlite3';
import { expect } from 'chai';
import type { LukhasError } from '../../../src/lib/errors.js';
import type { EventDraft } from '../../../src/lib/ledger/events.js';
import { type Named, resolveId } from '../../../src/lib/ledger/resolve.js';
import { openLedger } from '../../../src/lib/ledger/sqlite/ledger.js';
import { EXAMPLES, head, TS, withFolder } from './examples.js';

const CANARY: Named = { type: 'canary', one: 'canary', many: 'canaries', list: 'lukhas canary list' };

/** A request, by an example of one. */
const requested = (kind: EventDraft['kind'], subject: string) =>
  ({ ...EXAMPLES.find((example) => example.kind === kind), subject, ts: TS }) as EventDraft;

describe('the beginning of an id', () => {
  it('stands for the same canary whatever the rows of listings have', async () => {
    await withFolder(async (path) => {
      const ledger = await openLedger(path);
      try {
        const ids = ['c-abcde1', 'c-abcde2', 'c-xyzxyz'];
        const job = requested('job.queued', 'c-abcdef');
        await ledger.commit({
          events: [...ids.map((id) => requested('canary.requested', id)), job],
          summaries: ids.map((id) => head(id)),
        });
        const found = (prefix: string) =>
          resolveId(ledger, prefix, CANARY).catch((error: unknown) => (error as LukhasError).code);
        const all = async () => Promise.all(['c-abcd', 'c-abcde1', 'c-xyzx', 'c-xyz', 'c-q', 'c-abcdef'].map(found));
        const expected = ['AMBIGUOUS_ID', 'c-abcde1', 'c-xyzxyz', 'USAGE', 'NOT_FOUND', 'NOT_FOUND'];
        expect(await all()).to.deep.equal(expected);
        const db = new Database(path);
        db.exec(
          "DELETE FROM heads WHERE subject = 'c-abcde1'; UPDATE heads SET subject = 'c-abcdef', data = '' WHERE subject = 'c-xyzxyz'",
        );
        db.close();
        expect(await all()).to.deep.equal(expected);
      } finally {
        await ledger.close();
      }
    });
  });
});

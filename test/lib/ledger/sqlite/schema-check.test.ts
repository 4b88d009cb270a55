import { copyFile } from 'node:fs/promises';
import Database from 'better-sqlite3';
import { expect } from 'chai';
import { openLedger } from '../../../../src/lib/ledger/sqlite/ledger.js';
import { MIGRATIONS } from '../../../../src/lib/ledger/sqlite/schema.js';
import { schemaDifferences } from '../../../../src/lib/ledger/sqlite/schema-check.js';
import { verifyDatabase } from '../../../../src/lib/ledger/verify/database.js';
import { refusal } from '../../refusal.js';
import { EXAMPLES, finished, head, withFolder } from '../examples.js';
import { Unguarded } from './unguarded.js';

const GOLDEN = new URL('../../../golden/ledgers/judge-1.db', import.meta.url);

/** What one write to the file can make of the schema, and what is said of it first. */
const EDITS: Record<string, readonly [string, string]> = {
  'a guard that guards nothing': [
    `DROP TRIGGER events_no_update;
     CREATE TRIGGER events_no_update BEFORE UPDATE ON events WHEN 0 BEGIN SELECT RAISE(ABORT, 'x'); END`,
    'the trigger events_no_update on events was changed',
  ],
  'a guard of another table': [
    `DROP TRIGGER events_no_update;
     CREATE TRIGGER events_no_update BEFORE UPDATE ON heads BEGIN SELECT RAISE(ABORT, 'events are never changed'); END`,
    'the trigger events_no_update on heads was changed',
  ],
  'a guard less': ['DROP TRIGGER events_no_delete', 'the trigger events_no_delete on events is missing'],
  'a view in the place of the entries': [
    `DROP TRIGGER events_append_only; DROP TRIGGER events_no_update; DROP TRIGGER events_no_delete;
     DROP INDEX events_by_subject; ALTER TABLE events RENAME TO e0; CREATE VIEW events AS SELECT * FROM e0`,
    'the table events is missing',
  ],
  ...Object.fromEntries(
    ['events', 'canary_metrics', 'cursors', 'leases', 'heads', 'observation_feed', 'documents', 'documents_state'].map(
      (table) => [
        `a trigger on ${table}`,
        [
          `CREATE TRIGGER thief AFTER INSERT ON ${table} BEGIN DELETE FROM cursors; END`,
          `unknown trigger thief on ${table}`,
        ],
      ],
    ),
  ),
  'a trigger with a name of SQLite': [
    `PRAGMA writable_schema = ON;
     INSERT INTO sqlite_schema VALUES ('trigger', 'sqlite_stat1', 'leases', 0,
       'CREATE TRIGGER sqlite_stat1 AFTER INSERT ON leases BEGIN DELETE FROM cursors; END')`,
    'unknown trigger sqlite_stat1 on leases',
  ],
  'a table more': ['CREATE TABLE prepared AS SELECT * FROM events', 'unknown table prepared'],
  'a view more': ['CREATE VIEW seen AS SELECT 1', 'unknown view seen'],
  'no listings': ['DROP TABLE heads', 'the table heads is missing'],
  'no observations': ['DROP TABLE canary_metrics', 'the table canary_metrics is missing'],
  'an index less': ['DROP INDEX heads_by_model', 'the index heads_by_model on heads is missing'],
  'an index of other rows': [
    'DROP INDEX events_by_subject; CREATE INDEX events_by_subject ON events (subject) WHERE seq < 5',
    'the index events_by_subject on events was changed',
  ],
  'a column more': ['ALTER TABLE leases ADD COLUMN more TEXT', 'the table leases was changed'],
  'an older version than it is': ['PRAGMA user_version = 3', 'the table leases was changed'],
};

/** With more rights than a connection has by default, as any program with write access has. */
function edited(path: string, sql: string): void {
  const db = new Database(path);
  db.unsafeMode();
  db.exec(sql);
  db.close();
}

async function writeLedger(path: string): Promise<void> {
  const ledger = await openLedger(path);
  await ledger.commit({ events: EXAMPLES.slice(0, 15), summaries: [head('c1')] });
  await ledger.close();
}

describe('the schema of a ledger', () => {
  for (const [what, [sql, says]] of Object.entries(EDITS))
    it(`is refused with ${what}, by all that open it, and told by verification`, async () => {
      await withFolder(async (path) => {
        await writeLedger(path);
        edited(path, sql);
        for (const readOnly of [true, false]) {
          const error = await refusal(openLedger(path, { readOnly }));
          expect([error.code, error.exit]).to.deep.equal(['LEDGER_CORRUPT', 7]);
          expect(error.message).to.equal(`The schema of the ledger ${path} was changed: ${says}`);
        }
        const { ok, problems } = await verifyDatabase(path);
        expect(ok).to.equal(false);
        expect(problems).to.include(says);
      });
    });

  it('is taken as every released version made it', async () => {
    for (let version = 0; version <= MIGRATIONS.length; version++) {
      const db = new Database(':memory:');
      for (const step of MIGRATIONS.slice(0, version)) db.exec(step);
      db.pragma(`user_version = ${version}`);
      expect(schemaDifferences(db), `version ${version}`).to.deep.equal([]);
      db.close();
    }
    await withFolder(async (path) => {
      await copyFile(GOLDEN, path);
      const ledger = await openLedger(path, { readOnly: true });
      expect((await ledger.events({ limit: 1 })).length).to.equal(1);
      await ledger.close();
      const db = new Database(path, { readonly: true });
      expect(db.pragma('user_version', { simple: true })).to.equal(1);
      db.close();
      expect((await verifyDatabase(path)).problems).to.deep.equal([]);
      await (await openLedger(path)).close();
      expect((await verifyDatabase(path)).problems).to.deep.equal([]);
    });
  });

  it('is the same after what is done to databases: ANALYZE, VACUUM, a backup, a new index of searches', async () => {
    await withFolder(async (path) => {
      await writeLedger(path);
      edited(path, 'ANALYZE; VACUUM');
      const db = new Database(path);
      expect(db.prepare("SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_stat1'").pluck().get()).to.equal(1);
      await db.backup(`${path}.copy`);
      db.close();
      const ledger = await openLedger(`${path}.copy`);
      await ledger.documents.clear();
      await ledger.close();
      expect((await verifyDatabase(`${path}.copy`)).problems).to.deep.equal([]);
    });
  });

  describe('changed while a process has the database open', () => {
    const THIEF = 'CREATE TRIGGER thief AFTER INSERT ON leases BEGIN DELETE FROM cursors; END';

    it('proves nothing until it is mended', async () => {
      await withFolder(async (path) => {
        await writeLedger(path);
        const ledger = await openLedger(path);
        try {
          expect(await ledger.provenEvents({ subject: 'c1' })).not.to.have.length(0);
          edited(path, THIEF);
          for (let time = 0; time < 2; time++) {
            const { code, message } = await refusal(ledger.provenEvents({ subject: 'c1' }));
            expect(code).to.equal('LEDGER_CORRUPT');
            expect(message).to.include('was changed: unknown trigger thief on leases');
          }
          edited(path, 'DROP TRIGGER thief');
          expect(await ledger.provenEvents({ subject: 'c1' })).not.to.have.length(0);
        } finally {
          await ledger.close();
        }
      });
    });

    it('is told in one line where a table is gone', async () => {
      await withFolder(async (path) => {
        await writeLedger(path);
        const ledger = await openLedger(path);
        try {
          edited(path, 'DROP TABLE heads');
          const reads = [ledger.summaries(), ledger.commit({ events: [finished('c1')], summaries: [head('c1')] })];
          for (const error of await Promise.all(reads.map(refusal))) {
            expect(error.code).to.equal('LEDGER_CORRUPT');
            expect(error.message).to.match(/no such table: (main\.)?heads/);
          }
        } finally {
          await ledger.close();
        }
      });
    });
  });
});

describe('a policy', () => {
  it('that its digest is not of is neither proved nor verified, whatever hashes were made anew', async () => {
    await withFolder(async (path) => {
      await writeLedger(path);
      const db = new Unguarded(path);
      const [seq] = db.entries('c1', 'canary.requested') as [number];
      db.replace(seq, '"max_error_rate":0.01', '"max_error_rate":0.99');
      for (const each of db.all()) db.rehash(each);
      db.close();
      const ledger = await openLedger(path);
      const { code, message } = await refusal(ledger.provenEvents({ subject: 'c1' }));
      await ledger.close();
      expect(code).to.equal('LEDGER_CORRUPT');
      expect(message).to.match(new RegExp(`^Entry ${seq} of the log .* its policy does not match its digest\\.`));
      const report = await verifyDatabase(path);
      expect(report.firstBad).to.deep.equal({ seq, what: 'policy does not match its policyDigest' });
      expect(report.problemCount).to.equal(1);
    });
  });
});

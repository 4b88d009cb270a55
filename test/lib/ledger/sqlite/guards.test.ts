import Database from 'better-sqlite3';
import { expect } from 'chai';
import { openLedger } from '../../../../src/lib/ledger/sqlite/ledger.js';
import { finished, observation, withFolder } from '../examples.js';

const EVENT = "'2026-01-02T03:04:05Z', 'hook.finished', 'c1', x'00', NULL, '{}'";

/** Statements of another program with write access, and what refuses them. */
const REFUSED: readonly (readonly [string, RegExp])[] = [
  ["UPDATE events SET body = '{}' WHERE seq = 1", /never changed/],
  ['UPDATE OR REPLACE events SET seq = 1 WHERE seq = 2', /never changed/],
  ['DELETE FROM events WHERE seq = 2', /never deleted/],
  ['DELETE FROM events', /never deleted/],
  [`INSERT INTO events VALUES (1, ${EVENT})`, /only appended/],
  [`INSERT OR REPLACE INTO events VALUES (1, ${EVENT})`, /only appended/],
  [`REPLACE INTO events VALUES (2, ${EVENT})`, /only appended/],
  [`INSERT INTO events VALUES (4, ${EVENT})`, /only appended/],
  [`INSERT INTO events VALUES (-1, ${EVENT})`, /only appended/],
  [`INSERT INTO events VALUES (1, ${EVENT}) ON CONFLICT DO UPDATE SET body = '{}'`, /only appended/],
  ["UPDATE canary_metrics SET body = '{}'", /never changed/],
  ["INSERT OR REPLACE INTO canary_metrics VALUES ('c1', 0, 1, '{}')", /already recorded/],
];

describe('guards inside the database', () => {
  let raw: Database.Database;
  let release: () => void;
  let done: Promise<void>;

  before(async () => {
    await new Promise<void>((ready, failed) => {
      done = withFolder(async (path) => {
        const ledger = await openLedger(path);
        await ledger.commit({
          events: [finished('c1'), finished('c1'), finished('c1')],
          observations: [{ canaryId: 'c1', observation: observation(0) }],
        });
        await ledger.close();
        raw = new Database(path);
        await new Promise<void>((resolve) => {
          release = resolve;
          ready();
        });
        raw.close();
      });
      done.catch(failed);
    });
  });
  after(async () => {
    release();
    await done;
  });

  const dump = () => [
    raw.prepare('SELECT * FROM events ORDER BY seq').all(),
    raw.prepare('SELECT * FROM canary_metrics').all(),
  ];

  for (const [sql, why] of REFUSED) {
    it(`refuse ${sql}`, () => {
      const before = dump();
      expect(() => raw.exec(sql)).to.throw(why);
      expect(dump()).to.deep.equal(before);
    });
  }
});

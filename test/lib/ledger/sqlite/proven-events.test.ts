import { expect } from 'chai';
import fc from 'fast-check';
import { LukhasError } from '../../../../src/lib/errors.js';
import type { Ledger } from '../../../../src/lib/ledger/ledger.js';
import { openLedger } from '../../../../src/lib/ledger/sqlite/ledger.js';
import { finished, withFolder } from '../examples.js';
import { Unguarded } from './unguarded.js';

const SIZE = 45;
/** A name that is escaped in JSON, and one that begins another. */
const SUBJECTS = ['c1', 'c11', 'größe "🚀"\\'];
const subjectOf = (seq: number): string => SUBJECTS[(seq * 7) % SUBJECTS.length] as string;
const others = (seq: number): string => SUBJECTS[(seq * 7 + 1) % SUBJECTS.length] as string;

async function refusal(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt;
  } catch (error) {
    if (error instanceof LukhasError && error.code === 'LEDGER_CORRUPT') return error.message;
    throw error;
  }
  return 'accepted';
}

/** An edit of entry `seq`, and what is said when its subject is asked for. */
const EDITS: Record<string, [(db: Unguarded, seq: number) => void, (seq: number) => RegExp]> = {
  'a body': [(db, seq) => db.replace(seq, '"attempt":1', '"attempt":2'), (seq) => new RegExp(`Entry ${seq} .*hash`)],
  'a body and its hash': [
    (db, seq) => {
      const before = db.db.prepare('SELECT nodes FROM events WHERE seq = ?').pluck().get(seq);
      db.replace(seq, '"attempt":1', '"attempt":2');
      db.rehash(seq);
      db.db.prepare('UPDATE events SET nodes = ? WHERE seq = ?').run(before, seq);
    },
    (seq) => new RegExp(`Entry ${seq}.* tree`),
  ],
  'a stored hash': [
    (db, seq) => db.db.prepare('UPDATE events SET hash = zeroblob(32) WHERE seq = ?').run(seq),
    (seq) => new RegExp(`Entry ${seq} .*hash`),
  ],
  'a hash of no length': [
    (db, seq) => db.db.prepare("UPDATE events SET hash = x'00' WHERE seq = ?").run(seq),
    (seq) => new RegExp(`Entry ${seq} .*hash|entry ${seq} has no tree node$`),
  ],
  'the time beside it': [
    (db, seq) => db.db.prepare("UPDATE events SET ts = '2020-01-01T00:00:00Z' WHERE seq = ?").run(seq),
    (seq) => new RegExp(`Entry ${seq} .*columns`),
  ],
  'the kind beside it': [
    (db, seq) => db.db.prepare("UPDATE events SET kind = 'hook.intended' WHERE seq = ?").run(seq),
    (seq) => new RegExp(`Entry ${seq} .*columns`),
  ],
  'a row that is filed under another subject': [
    (db, seq) => db.db.prepare('UPDATE events SET subject = ? WHERE seq = ?').run(others(seq), seq),
    (seq) => new RegExp(`Entry ${seq} .*its row another subject`),
  ],
  'a row that is gone': [
    (db, seq) => db.db.prepare('DELETE FROM events WHERE seq = ?').run(seq),
    (seq) => new RegExp(`gone|entry ${seq} has no tree node$`),
  ],
};

describe('proven events', () => {
  let path: string;
  let ledger: Ledger;
  let db: Unguarded;
  let release: () => void;
  let done: Promise<void>;
  beforeEach(async () => {
    await new Promise<void>((ready, failed) => {
      done = withFolder(async (at) => {
        path = at;
        ledger = await openLedger(path);
        await ledger.commit({ events: Array.from({ length: SIZE }, (_, seq) => finished(subjectOf(seq), seq)) });
        db = new Unguarded(path);
        await new Promise<void>((resolve) => {
          release = resolve;
          ready();
        });
        db.close();
        await ledger.close();
      });
      done.catch(failed);
    });
  });
  afterEach(async () => {
    release();
    await done;
  });

  it('are those of the log, from an entry on, as long as nothing was changed', async () => {
    for (const subject of [...SUBJECTS, 'nobody'])
      for (const from of [undefined, 0, 1, 20, SIZE]) {
        const which = from === undefined ? { subject } : { subject, from };
        expect(await ledger.provenEvents(which)).to.deep.equal(await ledger.events(which));
      }
  });

  it('go on being so while the log grows', async () => {
    for (let size = SIZE; size < SIZE + 20; size++) {
      await ledger.commit({ events: [finished('c1', size)] });
      expect(await ledger.provenEvents({ subject: 'c1' })).to.deep.equal(await ledger.events({ subject: 'c1' }));
    }
  });

  for (const [what, [edit, says]] of Object.entries(EDITS))
    for (const seq of [3, 16, SIZE - 3])
      it(`refuse ${what}, entry ${seq}`, async () => {
        edit(db, seq);
        const message = await refusal(ledger.provenEvents({ subject: subjectOf(seq) }));
        expect(message.replace(/\. Nothing is.*/, '')).to.match(says(seq));
      });

  it('refuse an entry of another subject that is filed under this one', async () => {
    db.db.prepare('UPDATE events SET subject = ? WHERE seq = 16').run(others(16));
    expect(await refusal(ledger.provenEvents({ subject: others(16) }))).to.match(/Entry 16 .*columns/);
  });

  it('refuse an entry that an index has lost', async () => {
    const seq = 16;
    db.db.unsafeMode(true);
    db.db.pragma('writable_schema = ON');
    // Rows that the index does not have, as in a file that was edited: it is made anew for all but one.
    db.db.exec(`UPDATE sqlite_schema SET sql = 'CREATE INDEX events_by_subject ON events (subject) WHERE seq != ${seq}'
      WHERE name = 'events_by_subject'`);
    db.db.pragma('writable_schema = RESET');
    db.db.exec('REINDEX events_by_subject');
    db.db.pragma('writable_schema = ON');
    db.db.exec(
      `UPDATE sqlite_schema SET sql = 'CREATE INDEX events_by_subject ON events (subject)' WHERE name = 'events_by_subject'`,
    );
    db.db.pragma('writable_schema = RESET');
    expect((await ledger.events({ subject: subjectOf(seq) })).some((event) => event.seq === seq)).to.equal(false);
    expect(await refusal(ledger.provenEvents({ subject: subjectOf(seq) }))).to.match(/its index/);
  });

  it('refuse what was changed with its own hash and nodes wherever a later entry has a node over it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(SIZE - 1), async (seq) => {
        const row = db.db.prepare('SELECT * FROM events WHERE seq = ?').get(seq) as Record<string, unknown>;
        db.replace(seq, '"attempt":1', '"attempt":2');
        db.rehash(seq);
        const levels = [1, 2, 3, 4, 5].map((level) => (Math.floor(seq / 2 ** level) + 1) * 2 ** level - 1);
        const joined = levels.some((end) => end > seq && end < SIZE);
        const message = await refusal(ledger.provenEvents({ subject: subjectOf(seq) }));
        expect(message).to.match(
          joined ? /^Entry \d+ of the log, or one next to it in the tree, was changed/ : /accepted/,
        );
        db.db
          .prepare('UPDATE events SET body = ?, hash = ?, nodes = ? WHERE seq = ?')
          .run(row['body'], row['hash'], row['nodes'], seq);
      }),
      { numRuns: 150 },
    );
  });
});

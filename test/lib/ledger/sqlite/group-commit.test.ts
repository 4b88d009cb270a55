import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import type { LukhasError } from '../../../../src/lib/errors.js';
import type { Ledger } from '../../../../src/lib/ledger/ledger.js';
import { openLedger, SqliteLedger } from '../../../../src/lib/ledger/sqlite/ledger.js';
import { type Connection, openConnection } from '../../../../src/lib/ledger/sqlite/open.js';
import { verifyDatabase } from '../../../../src/lib/ledger/verify/database.js';
import { finished, head, observation, withFolder } from '../examples.js';

/** The ledger and its connection; what is left afterwards must verify. */
async function withConnection(test: (ledger: Ledger, connection: Connection) => Promise<void>): Promise<void> {
  await withFolder(async (path) => {
    const connection = await openConnection(path);
    const ledger = new SqliteLedger(connection);
    try {
      await test(ledger, connection);
    } finally {
      await ledger.close();
    }
    const report = await verifyDatabase(path);
    expect(report.problems).to.deep.equal([]);
  });
}

/** Counts the commit frames of the write-ahead log (SQLite file format, 4.1: a size after the commit that is not 0). */
async function transactions(path: string): Promise<number> {
  const wal = await readFile(`${path}-wal`);
  let count = 0;
  for (let frame = 32; frame < wal.length; frame += 24 + wal.readUInt32BE(8)) {
    if (wal.readUInt32BE(frame + 4) > 0) count++;
  }
  return count;
}

const settled = async (promises: readonly Promise<unknown>[]) =>
  (await Promise.allSettled(promises)).map((r) => (r.status === 'fulfilled' ? 'done' : (r.reason as LukhasError).code));

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

describe('group commit', () => {
  it('puts what arrives in one turn in one transaction, in order of arrival', async () => {
    await withConnection(async (ledger, { path }) => {
      await ledger.commit({ events: [finished('first')] });
      const before = await transactions(path);
      const committed = numbers(100).map((i) => ledger.commit({ events: [finished(`c${i}`)] }));
      expect((await Promise.all(committed)).map(([event]) => event?.seq)).to.deep.equal(numbers(100).map((i) => i + 1));
      expect((await ledger.events({ from: 1 })).map((e) => e.subject)).to.deep.equal(numbers(100).map((i) => `c${i}`));
      expect((await transactions(path)) - before).to.equal(1);
    });
  });

  it('undoes a unit that fails alone, wherever it fails', async () => {
    await withConnection(async (ledger) => {
      const events = (s: string) => [finished(s), finished(s), finished(s)];
      await ledger.commit({ observations: [{ canaryId: 'taken', observation: observation(0) }] });
      const units = [
        ledger.commit({ events: events('a') }),
        ledger.commit({ events: events('lost'), observations: [{ canaryId: 'taken', observation: observation(0) }] }),
        ledger.commit({ events: events('b'), summaries: [head('b')] }),
        ledger.commit({ events: events('lost'), expect: [{ lease: 'b', holder: 'nobody' }] }),
        ledger.commit({ events: [{ ...finished('lost'), ts: 'now' }] }),
        ledger.commit({ events: events('lost'), summaries: [head('unknown')] }),
        ledger.acquireLease('c', 'me', 0, 10),
        ledger.commit({ events: events('c'), expect: [{ lease: 'c', holder: 'me' }] }),
      ];
      expect(await settled(units)).to.deep.equal([
        'done',
        'LEDGER_CONFLICT',
        'done',
        'LEDGER_CONFLICT',
        'USAGE',
        'LEDGER_CONFLICT',
        'done',
        'done',
      ]);
      const subjects = (await ledger.events()).map((e) => e.subject);
      expect(subjects.join('')).to.equal('aaabbbccc');
      await ledger.commit({ events: events('d') });
      expect(await ledger.size()).to.equal(12);
    });
  });

  it('leaves the log as it was when the disk is full, and goes on when it is not', async () => {
    await withConnection(async (ledger, { db }) => {
      await ledger.commit({ events: [finished('c0')] });
      const before = await ledger.root();
      const pages = db.pragma('page_count', { simple: true }) as number;
      db.pragma(`max_page_count = ${pages}`);
      const large = { ...finished('c1'), subject: `c${'x'.repeat(20_000)}` };
      expect(await settled([ledger.commit({ events: [large] })])).to.deep.equal(['LEDGER_FULL']);
      const group = [
        ledger.commit({ events: [finished('c2')] }),
        ledger.commit({ events: [large] }),
        ledger.commit({ events: [finished('c3')] }),
      ];
      expect(await settled(group)).to.include('LEDGER_FULL');
      expect((await ledger.root(before.size)).root).to.deep.equal(before.root);
      expect((await ledger.events()).every((e) => e.subject.length < 10)).to.equal(true);
      db.pragma('max_page_count = 1000000');
      await ledger.commit({ events: [large] });
      expect((await ledger.events()).at(-1)?.subject).to.equal(large.subject);
    });
  });

  it('rejects everything when the transaction itself fails, and can be used again', async () => {
    await withConnection(async (ledger, { db }) => {
      await ledger.commit({ events: [finished('c0')] });
      const before = await ledger.root();
      // A broken reference is noticed when the transaction ends.
      db.exec(`CREATE TABLE broken (a REFERENCES leases (subject) DEFERRABLE INITIALLY DEFERRED);
        CREATE TRIGGER break_it AFTER INSERT ON cursors BEGIN INSERT INTO broken VALUES ('nobody'); END`);
      const group = [
        ledger.commit({ events: [finished('c1')] }),
        ledger.commit({ events: [finished('c2')], cursors: [{ canaryId: 'c2', cursor: 1 }] }),
      ];
      expect(await settled(group)).to.deep.equal(['LEDGER_CONFLICT', 'LEDGER_CONFLICT']);
      expect(await ledger.root()).to.deep.equal(before);
      db.exec('DROP TRIGGER break_it; DROP TABLE broken');
      await ledger.commit({ events: [finished('c1')] });
      expect((await ledger.events()).map((e) => e.subject)).to.deep.equal(['c0', 'c1']);
    });
  });

  it('says what to do about a full disk', async () => {
    await withConnection(async (ledger, { db, path }) => {
      db.pragma(`max_page_count = ${db.pragma('page_count', { simple: true })}`);
      const large = { ...finished('c1'), subject: 'x'.repeat(20_000) };
      const error = await ledger.commit({ events: [large] }).then(
        () => expect.fail('it was accepted'),
        (reason: LukhasError) => reason,
      );
      expect(error.message).to.include(path).and.not.include('\n');
      expect(error.suggestions.join()).to.match(/Free disk space/);
      db.pragma('max_page_count = 1000000');
    });
  });

  it('gives up after its time while another writer goes on, and leaves nothing', async () => {
    await withFolder(async (path) => {
      const ledger = await openLedger(path, { busyTimeoutMs: 150 });
      const other = await openConnection(path);
      other.db.exec('BEGIN IMMEDIATE');
      expect(await settled([ledger.commit({ events: [finished('c1')] })])).to.deep.equal(['LEDGER_BUSY']);
      expect(await ledger.events()).to.deep.equal([]);
      other.db.close();
      await ledger.close();
    });
  });

  it('waits for another writer without blocking', async () => {
    await withFolder(async (path) => {
      // Long enough for every machine; what blocks waits all of it, and fails.
      const ledger = await openLedger(path, { busyTimeoutMs: 20_000 });
      const other = await openConnection(path);
      other.db.exec('BEGIN IMMEDIATE');
      const patient = ledger.commit({ events: [finished('c1')] });
      // In the same thread: a wait that blocked it would never see the end of the other's transaction.
      setTimeout(() => other.db.exec('COMMIT'), 30);
      expect((await patient)[0]?.seq).to.equal(0);
      other.db.close();
      await ledger.close();
    });
  });
});

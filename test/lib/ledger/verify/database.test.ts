import { createHash } from 'node:crypto';
import { open, stat, writeFile } from 'node:fs/promises';
import Database from 'better-sqlite3';
import canonicalize from 'canonicalize';
import { expect } from 'chai';
import { LukhasError } from '../../../../src/lib/errors.js';
import type { EventDraft } from '../../../../src/lib/ledger/events.js';
import type { Ledger } from '../../../../src/lib/ledger/ledger.js';
import { openLedger } from '../../../../src/lib/ledger/sqlite/ledger.js';
import { type VerifyReport, verifyDatabase } from '../../../../src/lib/ledger/verify/database.js';
import { decided, EXAMPLES, finished, head, observation, TS, withFolder } from '../examples.js';
import { unguard } from '../sqlite/unguarded.js';

const JUDGED = 5;
function judgedDigest(): string {
  const event = decided('c2', JUDGED);
  return event.kind === 'canary.decided' ? event.data.observations.digest : '';
}
/** A fixed number, so that entries keep their places when kinds are added. */
const FIRST = EXAMPLES.slice(0, 15);
const DECISION = FIRST.length + 1;

/** A ledger with every kind of event, a decision on five observations, and twenty entries in all. */
async function writeLedger(path: string): Promise<string> {
  const ledger = await openLedger(path);
  await ledger.commit({ events: FIRST });
  await ledger.commit({
    events: [finished('c2'), decided('c2', JUDGED)],
    summaries: [head('c2')],
    observations: Array.from({ length: JUDGED }, (_, tick) => ({ canaryId: 'c2', observation: observation(tick) })),
  });
  while ((await ledger.size()) < 20) await ledger.commit({ events: [finished('größe 🚀')] });
  const { root } = await ledger.root();
  await ledger.close();
  return root.toString('hex');
}

/** What someone with write access to the file and knowledge of its schema can do. */
async function tampered(edit: (db: Database.Database) => void): Promise<VerifyReport> {
  let report: VerifyReport | undefined;
  await withFolder(async (path) => {
    await writeLedger(path);
    const db = new Database(path);
    unguard(db);
    edit(db);
    db.close();
    report = await verifyDatabase(path);
  });
  return report as VerifyReport;
}

const sha256 = (...parts: Buffer[]) => createHash('sha256').update(Buffer.concat(parts)).digest();
const leaf = (body: string) => sha256(Buffer.from([0]), Buffer.from(body));
const bodyOf = (db: Database.Database, seq: number) =>
  db.prepare('SELECT body FROM events WHERE seq = ?').pluck().get(seq) as string;

/** Rewrites the body of an entry and its own hash, so that only the tree can tell. */
function rewrite(db: Database.Database, seq: number, subject: string): void {
  const body = canonicalize({ ...JSON.parse(bodyOf(db, seq)), subject }) as string;
  db.prepare('UPDATE events SET subject = ?, body = ?, hash = ? WHERE seq = ?').run(subject, body, leaf(body), seq);
}

/** Each edit, the first bad entry that must be named, and what is said of it. */
const EDITS: Record<string, [(db: Database.Database) => void, number, RegExp]> = {
  'a byte of a body': [
    (db) => db.prepare("UPDATE events SET body = replace(body, 'ada', 'eve') WHERE seq = 9").run(),
    9,
    /stored hash does not match its bytes/,
  ],
  'a body that is no JSON': [(db) => db.exec("UPDATE events SET body = '{' WHERE seq = 6"), 6, /not a JSON object/],
  'a body written otherwise': [
    (db) => {
      const body = bodyOf(db, 4).replace('{"data"', '{ "data"');
      db.prepare('UPDATE events SET body = ?, hash = ? WHERE seq = 4').run(body, leaf(body));
    },
    4,
    /not canonical/,
  ],
  'a column beside the body': [
    (db) => db.exec("UPDATE events SET subject = 'c9' WHERE seq = 3"),
    3,
    /subject is "c1" in the body, but "c9" in its column/,
  ],
  'the time beside the body': [(db) => db.exec("UPDATE events SET ts = 'x' WHERE seq = 3"), 3, /^ts is/],
  'the kind beside the body': [(db) => db.exec("UPDATE events SET kind = 'x' WHERE seq = 3"), 3, /^kind is/],
  'a stored hash': [(db) => db.exec('UPDATE events SET hash = zeroblob(32) WHERE seq = 8'), 8, /hash/],
  'a row deleted': [(db) => db.exec('DELETE FROM events WHERE seq = 11'), 11, /missing/],
  'the first row deleted': [(db) => db.exec('DELETE FROM events WHERE seq = 0'), 0, /missing/],
  'three rows deleted': [(db) => db.exec('DELETE FROM events WHERE seq BETWEEN 4 AND 6'), 4, /up to entry 6/],
  'the last rows deleted': [
    (db) => db.exec(`DELETE FROM events WHERE seq >= ${DECISION - 1}`),
    DECISION - 1,
    /the listing row of c2 refers to entry 16/,
  ],
  'a row put before the first': [
    (db) => db.exec('INSERT INTO events SELECT -1, ts, kind, subject, hash, NULL, body FROM events WHERE seq = 0'),
    -1,
    /number is below 0/,
  ],
  'two rows swapped': [
    (db) => {
      db.exec('UPDATE events SET seq = 100 WHERE seq = 12');
      db.exec('UPDATE events SET seq = 12 WHERE seq = 14');
      db.exec('UPDATE events SET seq = 14 WHERE seq = 100');
    },
    12,
    /seq is 14 in the body, but 12 in its column/,
  ],
  'an entry rewritten with its hash': [
    (db) => rewrite(db, 6, 'c9'),
    6,
    /tree node over entries 6 to 7 does not match them/,
  ],
  'its neighbour rewritten with its hash': [(db) => rewrite(db, 7, 'c9'), 6, /tree node over entries 6 to 7/],
  'an entry rewritten with its hash and the lowest node': [
    (db) => {
      rewrite(db, 6, 'c9');
      const node = sha256(Buffer.from([1]), leaf(bodyOf(db, 6)), leaf(bodyOf(db, 7)));
      const nodes = db.prepare('SELECT nodes FROM events WHERE seq = 7').pluck().get() as Buffer;
      db.prepare('UPDATE events SET nodes = ? WHERE seq = 7').run(Buffer.concat([node, nodes.subarray(32)]));
    },
    7,
    /tree node over entries 4 to 7/,
  ],
  'a node removed': [(db) => db.exec('UPDATE events SET nodes = NULL WHERE seq = 5'), 5, /stores 0 tree nodes.* 1/],
  'a node too many': [
    (db) => db.exec('UPDATE events SET nodes = zeroblob(32) WHERE seq = 10'),
    10,
    /stores 1 tree nodes, expected 0/,
  ],
  'nodes of no length': [(db) => db.exec("UPDATE events SET nodes = x'00' WHERE seq = 10"), 10, /garbled/],
  'an observation that was judged': [
    (db) => db.exec(`UPDATE canary_metrics SET body = replace(body, '"bad":2', '"bad":0') WHERE tick = 2`),
    DECISION,
    /recorded observations differ from those it judged/,
  ],
  'an observation deleted': [
    (db) => db.exec('DELETE FROM canary_metrics WHERE tick = 1'),
    DECISION,
    /judged 5 observations, 4 are recorded/,
  ],
  'the time beside an observation': [
    (db) => db.exec('UPDATE canary_metrics SET t = 0 WHERE tick = 3'),
    DECISION,
    /the observation of c2 at tick 3 does not match its row/,
  ],
  'the observations of a decision taken away': [
    (db) => db.exec('DELETE FROM canary_metrics'),
    DECISION,
    /^verdict on c2: its observations are missing, and no entry says that they were pruned$/,
  ],
  'observations after the decision': [
    (db) =>
      db.exec(`INSERT INTO canary_metrics SELECT canary, tick + 5, t, body FROM canary_metrics WHERE tick IN (1, 2)`),
    DECISION,
    /^verdict on c2: observations recorded after it \(2\)$/,
  ],
  'an observation that is no JSON': [
    (db) => db.exec("UPDATE canary_metrics SET body = '' WHERE tick = 3"),
    DECISION,
    /tick 3/,
  ],
};

describe('verification of the log in place', () => {
  it('finds nothing in a log as it was written, and gives its root', async () => {
    await withFolder(async (path) => {
      const root = await writeLedger(path);
      expect(await verifyDatabase(path)).to.deep.equal({
        ok: true,
        size: 20,
        root,
        firstBad: null,
        problems: [],
        problemCount: 0,
        tableProblems: [],
        tableProblemCount: 0,
        // Of 20 leaves: 10 + 5 + 2 + 1 perfect subtrees.
        checked: { entries: 20, nodes: 18, decisions: 2, observations: JUDGED },
        notChecked: [],
      });
    });
  });

  it('takes an empty log', async () => {
    await withFolder(async (path) => {
      await (await openLedger(path)).close();
      expect(await verifyDatabase(path)).to.deep.include({ ok: true, size: 0, root: sha256().toString('hex') });
    });
  });

  it('checks a log while it is being written', async () => {
    await withFolder(async (path) => {
      await writeLedger(path);
      const ledger = await openLedger(path);
      const [report] = await Promise.all([verifyDatabase(path), ledger.commit({ events: [finished('c3')] })]);
      expect(report.problems).to.deep.equal([]);
      await ledger.close();
    });
  });

  for (const [what, [edit, seq, says]] of Object.entries(EDITS)) {
    it(`finds ${what}`, async () => {
      const report = await tampered(edit);
      expect(report.ok).to.equal(false);
      expect(report.firstBad?.seq, report.problems.join('\n')).to.equal(seq);
      expect(report.firstBad?.what).to.match(says);
      expect(report.problems.join('\n')).to.include(`entry ${seq}: ${report.firstBad?.what}`);
    });
  }

  it('names one rewritten entry once, and gives the root of what is there', async () => {
    const report = await tampered((db) => rewrite(db, 6, 'c9'));
    expect(report.problems).to.have.length(1);
    const honest = await tampered(() => undefined);
    expect(honest.ok).to.equal(true);
    expect(report.root).not.to.equal(honest.root);
  });

  const DAY_MS = 86_400_000;
  const pruned = (count: number, digest = judgedDigest()): EventDraft => ({
    kind: 'canary.pruned',
    subject: 'c2',
    ts: TS,
    data: { by: { who: 'ana', how: 'os-user' }, olderThanDays: 30, observations: { count, digest } },
  });

  /** The database without observations, and with an entry about that. */
  async function without(entry: EventDraft | null, age = 0): Promise<VerifyReport> {
    return gone(async (ledger) => {
      if (entry !== null) await ledger.commit({ events: [entry] });
      await ledger.commit({ events: [{ ...finished('c3'), ts: new Date(Date.parse(TS) + age).toISOString() }] });
    });
  }

  async function gone(then: (ledger: Ledger) => Promise<unknown>): Promise<VerifyReport> {
    let report: VerifyReport | undefined;
    await withFolder(async (path) => {
      await writeLedger(path);
      const ledger = await openLedger(path);
      await then(ledger);
      await ledger.close();
      const db = new Database(path);
      db.exec('DELETE FROM canary_metrics');
      db.close();
      report = await verifyDatabase(path);
    });
    return report as VerifyReport;
  }

  it('says when observations were pruned, by the entry that says so', async () => {
    const { ok, problems, notChecked, checked } = await without(pruned(JUDGED));
    expect(problems).to.deep.equal([]);
    expect(ok).to.equal(true);
    expect(notChecked).to.deep.equal([
      `entry ${DECISION}: verdict on c2: its ${JUDGED} observations were pruned on 2026-01-02 by retention (entry 20)`,
    ]);
    expect(checked).to.include({ decisions: 1, observations: 0 });
  });

  for (const [what, entry] of Object.entries({
    'nothing says that they were pruned, however old they are': null,
    'other observations were pruned': pruned(JUDGED, '0'.repeat(64)),
    'fewer were pruned': pruned(JUDGED - 1),
    'those of another canary were pruned': { ...pruned(JUDGED), subject: 'c1' },
  })) {
    it(`finds observations gone where ${what}`, async () => {
      const { ok, problems } = await without(entry, 400 * DAY_MS);
      expect(ok).to.equal(false);
      expect(problems).to.deep.equal([
        `entry ${DECISION}: verdict on c2: its observations are missing, and no entry says that they were pruned`,
      ]);
    });
  }

  it('tells of entries that are dated in the future', async () => {
    await withFolder(async (path) => {
      await writeLedger(path);
      const now = Date.parse(TS) + DAY_MS;
      const dated = (ms: number) => ({ ...finished('c3'), ts: new Date(ms).toISOString() });
      const ledger = await openLedger(path);
      // Clocks of two machines may be some minutes apart.
      await ledger.commit({ events: [dated(now + 300_000), dated(now + 300_001), dated(now + 400 * DAY_MS)] });
      await ledger.close();
      const db = new Database(path);
      db.exec('DELETE FROM canary_metrics');
      db.close();
      const { problems, notChecked } = await verifyDatabase(path, { clock: { now: () => now } });
      expect(problems).to.deep.equal([
        `entry ${DECISION}: verdict on c2: its observations are missing, and no entry says that they were pruned`,
      ]);
      expect(notChecked).to.have.length(1);
      expect(notChecked[0]).to.match(
        /^times: entry 21 is dated .*, ahead of this machine's clock \(and 1 more entries\)/,
      );
    });
  });

  it('says that no entry commits to observations before a decision', async () => {
    await withFolder(async (path) => {
      const ledger = await openLedger(path);
      await ledger.commit({ observations: [{ canaryId: 'c7', observation: observation(0) }] });
      await ledger.close();
      expect((await verifyDatabase(path)).notChecked.join()).to.match(
        /^canary_metrics: observations of canaries without a verdict \(1\)/,
      );
    });
  });

  it('finds guards taken away, emptied, or joined by others', async () => {
    const edits = [
      'DROP TRIGGER events_no_delete',
      `DROP TRIGGER canary_metrics_no_update;
       CREATE TRIGGER canary_metrics_no_update BEFORE UPDATE ON canary_metrics BEGIN SELECT 1; END`,
      'CREATE TRIGGER thief AFTER INSERT ON events BEGIN DELETE FROM heads; END',
    ];
    for (const sql of edits) {
      await withFolder(async (path) => {
        await writeLedger(path);
        const db = new Database(path);
        db.exec(sql);
        db.close();
        const report = await verifyDatabase(path);
        expect(report.problems, sql).to.have.length(1);
        expect(report.problems[0]).to.match(/events_no_delete|canary_metrics_no_update|thief/);
        expect(report).to.deep.include({ ok: false, firstBad: null });
      });
    }
  });

  it('reports at most a hundred problems, and how many there are', async () => {
    const report = await tampered((db) => {
      const add = db.prepare("INSERT INTO events VALUES (?, '', '', '', x'', NULL, '')");
      for (let seq = 20; seq < 220; seq++) add.run(seq);
    });
    expect(report.problems).to.have.length(100);
    expect(report.problemCount).to.be.above(400);
    expect(report.firstBad?.seq).to.equal(20);
  });

  it('reports damaged pages instead of failing', async () => {
    await withFolder(async (path) => {
      await writeLedger(path);
      const { size } = await stat(path);
      const file = await open(path, 'r+');
      for (let page = 1; page < size / 4096; page++) await file.write(Buffer.alloc(200, 0xa5), 0, 200, page * 4096);
      await file.close();
      const report = await verifyDatabase(path);
      expect(report.ok).to.equal(false);
      expect(report.firstBad?.seq).to.equal(0);
    });
  });

  it('reports a table that is not there instead of failing', async () => {
    const report = await tampered((db) => db.exec('ALTER TABLE events RENAME COLUMN nodes TO others'));
    expect(report.firstBad?.what).to.match(/no such column: nodes/);
  });

  it('refuses only what is no ledger', async () => {
    await withFolder(async (path) => {
      const refused = async () => {
        const error = await verifyDatabase(path).then(
          () => expect.fail('it was accepted'),
          (reason: unknown) => reason,
        );
        expect(error).to.be.instanceOf(LukhasError);
        return (error as LukhasError).code;
      };
      expect(await refused()).to.equal('LEDGER_UNAVAILABLE');
      await writeFile(path, 'no database'.repeat(100));
      expect(await refused()).to.equal('LEDGER_CORRUPT');
    });
  });
});

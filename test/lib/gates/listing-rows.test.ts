import Database from 'better-sqlite3';
import { expect } from 'chai';
import fc from 'fast-check';
import { Runner } from '../../../src/lib/canary/runner.js';
import { systemClock } from '../../../src/lib/clock.js';
import { LukhasError } from '../../../src/lib/errors.js';
import { holderOf } from '../../../src/lib/gates/registry.js';
import { LogFollower } from '../../../src/lib/ledger/follower.js';
import { foldSummaries } from '../../../src/lib/readings/summaries.js';
import { ACTOR, drive, driver, NO_HOOKS, scripted } from '../canary/harness.js';
import { GATES, history, MODELS, Oracle, plans } from './histories.js';
import { Bench, GATE, MODEL } from './promotion-place.js';

/** What somebody does to a row of `heads`; numbers stand for one of the rows there are. */
type Edit =
  | { edit: 'delete'; row: number }
  | { edit: 'swap'; row: number; other: number }
  | { edit: 'add'; row: number; subject: string }
  | { edit: 'set'; row: number; column: string; value: string | number };

const row = fc.nat();
const set = (column: string, value: fc.Arbitrary<string | number>) =>
  fc.record({ edit: fc.constant('set' as const), row, column: fc.constant(column), value });
const BROKEN = 'no JSON';

const edits: fc.Arbitrary<Edit> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ edit: fc.constant('delete' as const), row }) },
  fc.record({ edit: fc.constant('swap' as const), row, other: row }),
  fc.record({
    edit: fc.constant('add' as const),
    row,
    subject: fc.constantFrom('c-900000', 'p-900000', 'gate:production', 'gate:eu'),
  }),
  set('state', fc.constantFrom('PROMOTED', 'ROLLED_BACK', 'BLOCKED', 'RUNNING', 'requested', 'promoted', 'held')),
  set('open', fc.constantFrom(0, 1)),
  set('model', fc.constantFrom(...MODELS, 'other')),
  set('type', fc.constantFrom('canary', 'promotion', 'gate', 'job')),
  set('first_seq', fc.nat(40)),
  set('last_seq', fc.nat(40)),
  set(
    'data',
    fc.constantFrom(...GATES.map((gate) => JSON.stringify({ toGate: gate, gate, canaryId: 'c-000000' })), '{}', BROKEN),
  ),
);

function apply(db: Database.Database, edit: Edit): void {
  const rows = db.prepare('SELECT subject FROM heads ORDER BY subject').pluck().all() as string[];
  const subject = rows[edit.row % Math.max(1, rows.length)];
  if (subject === undefined) return;
  switch (edit.edit) {
    case 'delete':
      db.prepare('DELETE FROM heads WHERE subject = ?').run(subject);
      return;
    case 'swap': {
      const other = rows[edit.other % rows.length] as string;
      const rename = db.prepare('UPDATE heads SET subject = ? WHERE subject = ?');
      for (const [to, from] of [
        ['', subject],
        [subject, other],
        [other, ''],
      ])
        rename.run(to, from);
      return;
    }
    case 'add':
      db.prepare(
        `INSERT OR REPLACE INTO heads SELECT ?, type, state, model, 1, first_seq, last_seq, created_at, updated_at, data
         FROM heads WHERE subject = ?`,
      ).run(edit.subject, subject);
      return;
    case 'set':
      db.prepare(`UPDATE heads SET ${edit.column} = ? WHERE subject = ?`).run(edit.value, subject);
  }
}

describe('promotions and the rows of listings', () => {
  it('are no matter to each other: with the row of the newer, rolled-back canary deleted the older one proves nothing', async () => {
    const bench = await Bench.begin();
    try {
      await bench.canary('proved');
      const newer = await bench.canary('rolled back');
      await bench.rival();
      const db = new Database(bench.at.path);
      expect(db.prepare('DELETE FROM heads WHERE subject = ?').run(newer).changes).to.equal(1);
      db.close();
      const promotions = bench.promotions({ hooks: [bench.noting()] });
      for (const dryRun of [true, false]) {
        const result = await promotions
          .promote({ modelId: MODEL, gate: GATE, dryRun, by: ACTOR })
          .catch((error: LukhasError) => ({ changed: false, reason: `${error.code} ${error.message}` }));
        expect(result.changed).to.equal(false);
        expect(result.reason)
          .to.match(/^NO_EVIDENCE|cannot/)
          .and.contain(newer);
      }
      expect(await bench.calls()).to.deep.equal([]);
      expect(await holderOf(bench.ledger, GATE)).to.equal('rival');
    } finally {
      await bench.end();
    }
  });

  it('that cannot be read, or name nobody, keep no driver from a rollback', async () => {
    const bench = await Bench.begin();
    try {
      const plan = { canaries: [{ story: 'rolled back', modelId: MODEL, gate: GATE, done: false }] } as const;
      await bench.ledger.commit({
        events: history({ ...plan, canaries: [...plan.canaries], promotions: [], picks: [0, 0, 0] }),
      });
      await bench.ledger.rebuildSummaries(foldSummaries);
      const db = new Database(bench.at.path);
      db.prepare('UPDATE heads SET data = ?').run(BROKEN);
      apply(db, { edit: 'add', row: 0, subject: 'c-900000' });
      db.close();
      const complaints: string[] = [];
      const stop = new AbortController();
      const runner = new Runner({
        ledger: bench.ledger,
        follower: new LogFollower(bench.ledger, systemClock()),
        clock: systemClock(),
        hooks: NO_HOOKS,
        env: {},
        openSource: () => expect.fail('nothing to read'),
        onError: (id) => complaints.push(id),
      });
      bench.ledger.onCommit(
        () => void bench.kinds('c-000000').then((kinds) => kinds.at(-1) === 'canary.acted' && stop.abort()),
      );
      await runner.driveAll(stop.signal);
      expect((await bench.kinds('c-000000')).at(-1)).to.equal('canary.acted');
      expect([...new Set(complaints)]).to.deep.equal(['c-900000']);
    } finally {
      await bench.end();
    }
  });

  it('are no matter to each other, whatever was altered, deleted, swapped or added', async () => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(
        plans,
        fc.array(edits, { maxLength: 8 }),
        fc.boolean(),
        fc.boolean(),
        async (plan, tampering, driversFirst, requireCanary) => {
          const bench = await Bench.begin();
          try {
            await bench.ledger.commit({ events: history(plan) });
            await bench.ledger.rebuildSummaries(foldSummaries);
            const db = new Database(bench.at.path);
            for (const edit of tampering) apply(db, edit);
            const broken = db.prepare('SELECT count(*) FROM heads WHERE data = ?').pluck().get(BROKEN) !== 0;
            db.close();
            if (driversFirst) await driven(bench, seen);
            await asked(bench, requireCanary, broken, seen);
            if (!driversFirst) await driven(bench, seen);
          } finally {
            await bench.end();
          }
        },
      ),
      { numRuns: 60, seed: 11 },
    );
    expect([...seen]).to.include.members(['held', 'refused', 'enters', 'given up', 'promote', 'rollback']);
  });
});

/** Each request comes to what the entries alone make of it. */
async function asked(bench: Bench, requireCanary: boolean, broken: boolean, seen: Set<string>): Promise<void> {
  for (const modelId of MODELS)
    for (const gate of GATES) {
      const expected = new Oracle(await bench.ledger.events()).expected(modelId, gate, requireCanary);
      seen.add(expected);
      const before = await holderOf(bench.ledger, gate);
      const result = await bench
        .promotions({ requireCanary })
        .promote({ modelId, gate, dryRun: false, by: ACTOR })
        .catch((error: unknown) => {
          if (error instanceof LukhasError) return error;
          throw error;
        });
      expect(await holderOf(bench.ledger, gate)).to.equal(expected === 'enters' ? modelId : before);
      if (!(result instanceof LukhasError))
        expect(result.promoted, expected).to.equal(expected === 'enters' || expected === 'held');
      else if (result.code === 'NO_EVIDENCE') expect(expected).to.equal('refused');
      else {
        // Only what is told beside it reads a row; it can be made again.
        expect([broken, expected, result.code]).to.deep.equal([true, 'held', 'LEDGER_CORRUPT']);
        expect(result.suggestions.join()).to.contain('lukhas db rebuild');
      }
    }
}

/** Those and only those canaries are acted on that the entries say are to be. */
async function driven(bench: Bench, seen: Set<string>): Promise<void> {
  const { ledger, clock } = bench;
  const events = await ledger.events();
  const oracle = new Oracle(events);
  const expected = { promote: oracle.pending('promote'), rollback: oracle.pending('rollback') };
  const decided = events.flatMap((e) =>
    e.kind === 'canary.decided' || e.kind === 'canary.aborted' ? [e.subject] : [],
  );
  await Promise.all(
    decided.map((id, i) =>
      drive(
        { ...driver({ ledger, clock, source: scripted(clock, () => ({ canary: {} })), holder: `here:1:${i}` }), clock },
        id,
      ),
    ),
  );
  const news = (await ledger.events()).slice(events.length);
  for (const action of ['promote', 'rollback'] as const) {
    const acted = news.flatMap((e) => (e.kind === 'canary.acted' && e.data.action === action ? [e.subject] : []));
    expect(acted).to.have.members(expected[action]);
    if (acted.length > 0) seen.add(action);
  }
  for (const event of news)
    if (event.kind === 'gate.changed') expect(event.data.canaryId).to.be.oneOf(expected.promote);
}

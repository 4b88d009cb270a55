import Database from 'better-sqlite3';
import { expect } from 'chai';
import { why, whyMath } from '../../../../src/lib/app/explanations.js';
import { Canaries } from '../../../../src/lib/canary/canaries.js';
import { narrativeText } from '../../../../src/lib/explain/render.js';
import { withPromotions } from '../../../../src/lib/gates/promotion-change.js';
import { gateHistory, listGates } from '../../../../src/lib/gates/registry.js';
import type { Ledger } from '../../../../src/lib/ledger/ledger.js';
import { openLedger } from '../../../../src/lib/ledger/sqlite/ledger.js';
import { ENDED_KINDS } from '../../../../src/lib/readings/meaning.js';
import { Search } from '../../../../src/lib/search/search.js';
import { ACTOR } from '../../canary/harness.js';
import { Bench, GATE, MODEL } from '../../gates/promotion-place.js';
import { unguard } from '../../ledger/sqlite/unguarded.js';

/** A model that was promoted by its canary, lost the gate, and got it back by a promotion; two canaries of its own besides. */
async function write(bench: Bench): Promise<Record<'proved' | 'blocked' | 'aborted', string>> {
  const blocked = await bench.canary('blocked');
  const aborted = await bench.canary('aborted');
  const proved = await bench.canary('proved');
  await bench.rival();
  await bench.promotions().promote({ modelId: MODEL, gate: GATE, dryRun: false, by: ACTOR });
  return { blocked, aborted, proved };
}

describe('missing and altered rows of listings', () => {
  let bench: Bench;
  let ids: Awaited<ReturnType<typeof write>>;

  beforeEach(async () => {
    bench = await Bench.begin();
    ids = await write(bench);
  });
  afterEach(() => bench.end());

  function edit(sql: string): void {
    const db = new Database(bench.at.path);
    unguard(db);
    db.exec(sql);
    db.close();
  }

  const log = () => ({ ledger: bench.ledger, canaries: bench.canaries });
  const tell = async (id: string) => narrativeText(await why(log(), id));

  /** All that is told without a choice by state. */
  async function everything() {
    const { ledger, canaries } = bench;
    const changes = (await gateHistory(ledger, GATE)).map((change) => ({ ...change, gate: GATE }));
    return {
      model: await tell(MODEL),
      rival: await tell('rival'),
      proved: await tell(ids.proved),
      math: await whyMath(log(), MODEL),
      gates: await listGates(ledger),
      history: await withPromotions(ledger, changes),
      list: await canaries.list({}),
      ofModel: await canaries.list({ modelId: MODEL, limit: 2 }),
    };
  }

  const EDITS = {
    'one row is deleted': () => `DELETE FROM heads WHERE subject = '${ids.proved}'`,
    'all rows are deleted': () => 'DELETE FROM heads',
    'rows say another model': () => `UPDATE heads SET model = 'other'`,
    'rows say another state': () => `UPDATE heads SET state = 'PROMOTED', open = 1`,
    'rows say another type': () => `UPDATE heads SET type = 'job'`,
    'rows are no JSON': () => `UPDATE heads SET data = '{'`,
  };
  for (const [what, sql] of Object.entries(EDITS))
    it(`change nothing of what is told when ${what}`, async () => {
      const before = await everything();
      expect(before.model).to.include(ids.blocked).and.to.include('entered production');
      edit(sql());
      expect(await everything()).to.deep.equal(before);
    });

  it('are told by a list', async () => {
    const list = (filter: Parameters<Canaries['listing']>[0]) => bench.canaries.listing(filter);
    expect((await list({})).warning).to.equal(null);
    expect((await list({ states: ['BLOCKED'] })).warning).to.equal(null);
    edit(`DELETE FROM heads WHERE subject = '${ids.blocked}'`);
    const lacks = 'The listing lacks 1 of 4 canaries: run lukhas db rebuild.';
    expect((await list({})).warning).to.equal(lacks);
    expect(await list({ states: ['BLOCKED'] })).to.deep.equal({
      summaries: [],
      warning: `${lacks} This list may be incomplete.`,
    });
    expect((await list({ states: ['BLOCKED'], modelId: MODEL })).warning).to.match(/^The listing lacks 1 of 3 /);
  });

  it('are told where a row says another state, by the list of either state', async () => {
    edit(`UPDATE heads SET state = 'PROMOTED' WHERE subject = '${ids.blocked}'`);
    const [promoted, blocked] = await Promise.all(
      ['PROMOTED', 'BLOCKED'].map((state) => bench.canaries.listing({ states: [state] })),
    );
    for (const { warning } of [promoted!, blocked!]) expect(warning).to.match(/does not match the log/);
    expect(promoted!.summaries.map(({ subject }) => subject)).not.to.include(ids.blocked);
  });

  it('are told where two rows have changed their states, so that all numbers are the same', async () => {
    edit(`UPDATE heads SET state = CASE subject WHEN '${ids.blocked}' THEN 'ABORTED' ELSE 'BLOCKED' END
      WHERE subject IN ('${ids.blocked}', '${ids.aborted}')`);
    const { summaries, warning } = await bench.canaries.listing({ states: ['BLOCKED'] });
    expect(summaries).to.deep.equal([]);
    expect(warning).to.match(/does not match the log/);
  });

  it('are told where a row of nothing was added', async () => {
    edit(`INSERT INTO heads SELECT 'c-ghost', type, state, model, open, first_seq, last_seq, created_at, updated_at, data
      FROM heads WHERE subject = '${ids.blocked}'`);
    const { summaries, warning } = await bench.canaries.listing({ states: ['BLOCKED'] });
    expect(summaries.map(({ subject }) => subject)).to.deep.equal([ids.blocked]);
    expect(warning).to.match(/has more canaries than the log \(1\)/);
  });

  it('keep no open canary from being driven', async () => {
    const running = await bench.canary('running');
    const open = await bench.ledger.openSubjects('canary', ENDED_KINDS);
    expect(open).to.deep.equal([running]);
    edit('DELETE FROM heads');
    expect(await bench.ledger.openSubjects('canary', ENDED_KINDS)).to.include(running);
  });

  it('keep no promotion by break-glass from being carried out, also when it was reviewed before it was', async () => {
    const subject = 'c-forced';
    const requested = (await bench.ledger.events({ kinds: ['canary.requested'], limit: 1 }))[0]!;
    const by = ACTOR;
    await bench.ledger.commit({
      events: [
        { kind: 'canary.requested', subject, ts: requested.ts, data: requested.data as never },
        { kind: 'canary.forced', subject, ts: requested.ts, data: { by, reason: 'down', reviewDueAt: 9 } },
        { kind: 'canary.reviewed', subject, ts: requested.ts, data: { by, reason: 'it was needed' } },
      ],
    });
    expect(await bench.ledger.openSubjects('canary', ENDED_KINDS)).to.include(subject);
  });

  it('keep no open canary from being driven where its row says that it is closed, or over', async () => {
    const running = await bench.canary('running');
    for (const sql of ['UPDATE heads SET open = 0', `UPDATE heads SET open = 0, state = 'ABORTED'`]) {
      edit(sql);
      expect(await bench.ledger.openSubjects('canary', ENDED_KINDS)).to.include(running);
      expect((await bench.ledger.listingGap('canary')).statesAgree).to.equal(false);
    }
  });

  it('are made again, with all numbers, by a rebuild', async () => {
    edit('DELETE FROM heads; DELETE FROM row_counts');
    await bench.canaries.rebuild();
    expect((await bench.canaries.listing({ states: ['BLOCKED'] })).warning).to.equal(null);
  });

  describe('of the search', () => {
    const searchOf = (ledger: Ledger) => new Search(ledger, async () => '');
    const ask = (query: string) => searchOf(bench.ledger).results({ query, limit: 10 });

    beforeEach(() => searchOf(bench.ledger).catchUp());

    const edits: Record<string, () => string> = {
      'a document': () => `DELETE FROM documents WHERE id = 'canary:${ids.blocked}'`,
      'a document, with the number of them': () => `DELETE FROM documents WHERE id = 'canary:${ids.blocked}';
        UPDATE row_counts SET count = (SELECT count(*) FROM documents) WHERE name = 'documents'`,
      'the words of a document': () => `DELETE FROM documents_text WHERE rowid = (
        SELECT doc FROM documents WHERE id = 'canary:${ids.blocked}')`,
      'all documents of entries': () => `DELETE FROM documents WHERE id LIKE 'event:%'`,
      'the state of the index': () => 'UPDATE documents_state SET seq = seq + 1000',
    };
    for (const [what, sql] of Object.entries(edits))
      it(`are told where ${what} was changed, until the index is made again`, async () => {
        expect((await ask('blocked')).warning).to.equal(null);
        edit(sql());
        expect((await ask('blocked')).warning).to.match(/^The search index .*: run lukhas db rebuild\.$/);
        await searchOf(bench.ledger).rebuild();
        expect((await ask('blocked')).warning).to.equal(null);
      });

    it('do not make a model or gate look otherwise', async () => {
      const model = async () => (await bench.ledger.documents.get(`model:${MODEL}`))!;
      const before = await model();
      expect(before.title).to.equal(`model ${MODEL}: holds ${GATE}`);
      edit('DELETE FROM heads');
      await searchOf(bench.ledger).rebuild();
      expect(await model()).to.deep.equal(before);
    });
  });

  it('leave no entry of a model out of a pack', async () => {
    const { pages } = bench.ledger;
    const range = { from: 0, to: await bench.ledger.size() };
    const count = () => pages.count(range, { models: ['rival'] });
    const before = await count();
    expect(before).to.be.above(0);
    edit('DELETE FROM heads');
    expect(await count()).to.equal(before);
    const reading = await openLedger(bench.at.path, { readOnly: true });
    expect(await new Canaries(reading, bench.clock).list({})).to.have.length(4);
    await reading.close();
  });
});

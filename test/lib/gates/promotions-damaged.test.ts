import { expect } from 'chai';
import { LukhasError } from '../../../src/lib/errors.js';
import { holderOf } from '../../../src/lib/gates/registry.js';
import { ACTOR } from '../canary/harness.js';
import { Unguarded } from '../ledger/sqlite/unguarded.js';
import { Bench, GATE, MODEL } from './promotion-place.js';

const ASKED = { modelId: MODEL, gate: GATE, dryRun: false, by: ACTOR };

describe('promotions on a damaged log', () => {
  let bench: Bench;
  let db: Unguarded;
  beforeEach(async () => {
    bench = await Bench.begin();
    db = new Unguarded(bench.at.path);
  });
  afterEach(async () => {
    db.close();
    await bench.end();
  });

  /** Refused, and nothing came of it. @returns what was said */
  const refused = async (attempt: Promise<unknown>): Promise<string> => {
    const before = await bench.ledger.size();
    const error = await attempt.then(
      () => null,
      (e: unknown) => e,
    );
    if (!(error instanceof LukhasError)) return expect.fail(`not refused: ${String(error)}`);
    expect([error.code, error.exit]).to.deep.equal(['LEDGER_CORRUPT', 7]);
    expect(await bench.ledger.size()).to.equal(before);
    expect(await bench.calls()).to.deep.equal([]);
    return error.message;
  };
  const only = (id: string, kind: string): number => db.entries(id, kind)[0] as number;
  const spoil = (sql: string, id: string | number): void => {
    if (db.db.prepare(sql).run(id).changes === 0) throw new Error('nothing was changed');
  };

  const EDITS: Record<string, (id: string) => void> = {
    'its verdict': (id) => db.replace(only(id, 'canary.decided'), '"certainty":"certified"', '"certainty":"certainly"'),
    'the gate that it came from': (id) => db.replace(only(id, 'canary.requested'), '"stage"', '"stagf"'),
    'an observation': (id) =>
      spoil(`UPDATE canary_metrics SET body = replace(body, '"bad":1', '"bad":0') WHERE canary = ? AND tick = 2`, id),
    'a stored hash': (id) => spoil('UPDATE events SET hash = zeroblob(32) WHERE subject = ?', id),
    'an entry with its hash and the nodes beside it': (id) =>
      db.rehash(db.replace(only(id, 'canary.requested'), '"stage"', '"stagf"')),
  };
  it('are not begun past an entry of a kind that only a newer lukhas knows, whatever it is about', async () => {
    await bench.canary('proved');
    const log = { from: null, to: null, reason: 'error', message: 'x', by: ACTOR } as const;
    await bench.ledger.commit({
      events: [{ kind: 'evidence.failed', subject: 'freeze', ts: '2026-03-01T12:00:00.000Z', data: log }],
    });
    const seq = (await bench.ledger.size()) - 1;
    db.replace(seq, '"kind":"evidence.failed"', '"kind":"gate.frozen"');
    db.rehash(seq);
    db.db.prepare("UPDATE events SET kind = 'gate.frozen' WHERE seq = ?").run(seq);
    const promotions = bench.promotions({ hooks: [bench.noting()] });
    const error = await promotions.promote(ASKED).then(
      () => null,
      (e: unknown) => e,
    );
    expect(error).to.be.instanceOf(LukhasError).with.property('code', 'LEDGER_TOO_NEW');
    expect(await bench.calls()).to.deep.equal([]);
  });

  for (const [what, edit] of Object.entries(EDITS)) {
    it(`are not begun where the canary was changed: ${what}`, async () => {
      const id = await bench.canary('proved');
      await bench.rival();
      edit(id);
      const promotions = bench.promotions({ hooks: [bench.noting()] });
      await refused(promotions.promote({ ...ASKED, dryRun: true }));
      await refused(promotions.promote(ASKED));
      expect(await holderOf(bench.ledger, GATE)).to.equal('rival');
    });

    it(`are not carried out where the canary was changed after they were requested: ${what}`, async () => {
      const id = await bench.canary('proved');
      await bench.rival();
      const crash = new Error('killed');
      const dying = bench.promotions({ hooks: [bench.noting()], ledger: bench.dying('hook.intended', crash) });
      expect(await dying.promote(ASKED).catch((error: unknown) => error)).to.equal(crash);
      edit(id);
      const promotions = bench.promotions({ hooks: [bench.noting()] });
      await refused(promotions.driveOpen(new AbortController().signal));
      const [open] = await bench.ledger.summaries({ type: 'promotion', open: true });
      // Nobody holds what others would have to wait for.
      expect(await bench.ledger.lease(open?.subject ?? '')).to.equal(null);
      expect(await bench.ledger.lease(`gate:${GATE}`)).to.equal(null);
      expect(await holderOf(bench.ledger, GATE)).to.equal('rival');
    });
  }

  for (const [what, edit] of Object.entries({
    'who holds it': (seq: number) => db.replace(seq, '"modelId":"rival"', `"modelId":"${MODEL}"`),
    'where it is filed': (seq: number) => spoil("UPDATE events SET subject = 'gate:other' WHERE seq = ?", seq),
  })) {
    it(`are neither begun nor carried out where the gate's own entry was changed: ${what}`, async () => {
      await bench.canary('proved');
      await bench.rival();
      const seq = db.entries(`gate:${GATE}`).at(-1) as number;
      const crash = new Error('killed');
      const dying = bench.promotions({ hooks: [bench.noting()], ledger: bench.dying('hook.intended', crash) });
      expect(await dying.promote(ASKED).catch((error: unknown) => error)).to.equal(crash);
      edit(seq);
      const promotions = bench.promotions({ hooks: [bench.noting()] });
      await refused(promotions.driveOpen(new AbortController().signal));
      await refused(bench.promotions({ requireCanary: false }).promote({ ...ASKED, modelId: 'third' }));
    });
  }

  it('are not carried out where their own request was changed', async () => {
    await bench.canary('proved');
    await bench.rival();
    const crash = new Error('killed');
    const dying = bench.promotions({ ledger: bench.dying('promotion.finished', crash), hooks: [] });
    await bench.forget();
    expect(await dying.promote(ASKED).catch((error: unknown) => error)).to.equal(crash);
    const [open] = await bench.ledger.summaries({ type: 'promotion', open: true });
    const seq = db.replace(only(open?.subject ?? '', 'promotion.requested'), '"who":"ana"', '"who":"eve"');
    const promotions = bench.promotions({ hooks: [bench.noting()] });
    expect(await refused(promotions.driveOpen(new AbortController().signal))).to.match(new RegExp(`Entry ${seq} `));
  });

  it('without evidence are not let past a rollback that was made to look like something else', async () => {
    const id = await bench.canary('rolled back');
    const promotions = bench.promotions({ requireCanary: false, hooks: [bench.noting()] });
    const seq = db.replace(only(id, 'canary.decided'), '"decision":"rollback"', '"decision":"block"');
    expect(await refused(promotions.promote(ASKED))).to.match(new RegExp(`Entry ${seq} `));
  });
});

import { expect } from 'chai';
import type { PromotionResult, Promotions } from '../../../src/lib/gates/promotions.js';
import { gateHistory, holderOf, setGate } from '../../../src/lib/gates/registry.js';
import { foldSummaries } from '../../../src/lib/readings/summaries.js';
import { until } from '../../until.js';
import { ACTOR } from '../canary/harness.js';
import { deadHolder } from '../ledger/holders.js';
import { refusal } from '../refusal.js';
import { Bench, GATE, MODEL, type Story } from './promotion-place.js';

const ASKED = { modelId: MODEL, gate: GATE, dryRun: false, by: ACTOR };

describe('promotions', () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await Bench.begin();
  });
  afterEach(() => bench.end());

  const promotionsOf = async () => bench.ledger.summaries({ type: 'promotion' });
  const changes = async () => (await gateHistory(bench.ledger, GATE)).map(({ modelId }) => modelId);
  /** The model was proved, and another one took the gate from it. */
  const proved = async (): Promise<string> => {
    const id = await bench.canary('proved');
    await bench.rival();
    return id;
  };

  describe('asked for', () => {
    it('call the hooks with the promotion as key, give the gate, and say on what they stand', async () => {
      const canaryId = await proved();
      const result = await bench.promotions({ hooks: [bench.noting()] }).promote(ASKED);
      const [head] = await promotionsOf();
      const id = head!.subject;
      const [, , change] = await gateHistory(bench.ledger, GATE);
      expect(result).to.deep.equal({
        modelId: MODEL,
        gate: GATE,
        dryRun: false,
        changed: true,
        currentGates: [GATE],
        promoted: true,
        promotedAt: change!.ts,
        canaryId,
        promotionId: id,
        reason: `promoted on the evidence of canary ${canaryId}`,
      } satisfies PromotionResult);
      expect(id).to.match(/^p-/);
      expect(change).to.deep.include({ modelId: MODEL, previous: 'rival', canaryId: null, by: ACTOR });
      expect(await bench.calls()).to.deep.equal([`${id} 1 ${id} ${canaryId}`]);
      expect(await bench.kinds(id)).to.deep.equal([
        'promotion.requested',
        'hook.intended',
        'hook.finished',
        'promotion.finished',
      ]);
      expect(head).to.deep.include({ state: 'promoted', open: false, modelId: MODEL });
      expect(await bench.ledger.lease(id)).to.equal(null);
      expect(await bench.ledger.lease(`gate:${GATE}`)).to.equal(null);
    });

    it('a second time change and call nothing', async () => {
      const canaryId = await proved();
      const promotions = bench.promotions({ hooks: [bench.noting()] });
      const first = await promotions.promote(ASKED);
      const size = await bench.ledger.size();
      const second = await promotions.promote({ ...ASKED, by: { who: 'olu', how: 'loopback' } });
      const { promotionId, promotedAt } = first;
      expect(second).to.deep.include({ changed: false, promoted: true, promotedAt, canaryId, promotionId });
      expect(second.reason).to.equal(`${MODEL} already holds ${GATE}, since ${promotedAt}`);
      expect(await bench.ledger.size()).to.equal(size);
      expect(await bench.calls()).to.have.length(1);
    });

    it('for what a canary has brought there write nothing, and name the canary', async () => {
      const canaryId = await bench.canary('proved');
      const size = await bench.ledger.size();
      const result = await bench.promotions({ hooks: [bench.noting()] }).promote(ASKED);
      const [change] = await gateHistory(bench.ledger, GATE);
      const at = { promotedAt: change!.ts, currentGates: [GATE] };
      expect(result).to.deep.include({ changed: false, promoted: true, canaryId, promotionId: null, ...at });
      expect(await bench.ledger.size()).to.equal(size);
      expect(await bench.calls()).to.deep.equal([]);
    });

    it('may be repeated after another model took the gate', async () => {
      await proved();
      const promotions = bench.promotions();
      await promotions.promote(ASKED);
      bench.clock.time += 60_000;
      await bench.rival();
      expect(await promotions.promote(ASKED)).to.include({ changed: true, promoted: true });
      expect(await changes()).to.deep.equal([MODEL, 'rival', MODEL, 'rival', MODEL]);
    });

    it('refuse names that are none', async () => {
      const promotions = bench.promotions();
      expect((await refusal(promotions.promote({ ...ASKED, modelId: 'a b' }))).code).to.equal('USAGE');
      expect((await refusal(promotions.promote({ ...ASKED, gate: '' }))).code).to.equal('USAGE');
    });
  });

  describe('without evidence', () => {
    const last: [Story, RegExp][] = [
      ['let pass', /its newest canary for this gate, c-\w+, was promoted without proof, as its policy allows$/],
      ['rolled back', /its newest canary for this gate, c-\w+, ended as ROLLED_BACK$/],
      ['blocked', /ended as BLOCKED$/],
      ['aborted', /ended as ABORTED$/],
      ['failed', /ended as FAILED$/],
      ['running', /its canary c-\w+ is PENDING and not finished$/],
    ];
    for (const [story, why] of last)
      it(`are refused when the newest canary was ${story}, though an older one proved it`, async () => {
        await proved();
        await bench.canary(story);
        if (story === 'let pass') await bench.rival();
        const size = await bench.ledger.size();
        const promotions = bench.promotions({ hooks: [bench.noting()] });
        const error = await refusal(promotions.promote(ASKED));
        expect(error).to.include({ code: 'NO_EVIDENCE', exit: 2 });
        expect(error.message).to.match(why);
        expect(error.suggestions.join()).to.match(/lukhas (why|canary status) c-/);
        const foreseen = await promotions.promote({ ...ASKED, dryRun: true });
        expect(foreseen).to.include({ changed: false, promoted: false, reason: error.message });
        expect(await bench.ledger.size()).to.equal(size);
        expect(await bench.calls()).to.deep.equal([]);
        expect(await holderOf(bench.ledger, GATE)).to.equal('rival');
      });

    it('are refused, with what to do, when no canary has gone there; those into other gates say nothing', async () => {
      await bench.canary('proved', { toGate: 'shadow' });
      await bench.canary('proved', { modelId: 'rival' });
      const error = await refusal(bench.promotions().promote(ASKED));
      expect(error.message).to.equal(`${MODEL} cannot be promoted to ${GATE}: no canary has proved it`);
      expect(error.suggestions).to.deep.equal([
        `Start a canary: lukhas canary start --model ${MODEL} --from GATE --to ${GATE}`,
        'Or allow promotions without evidence in lukhas.yaml: promotion: {requireCanary: false}',
      ]);
    });

    it('are let pass where the configuration permits it, and the log says so', async () => {
      const promotions = bench.promotions({ requireCanary: false, hooks: [bench.noting()] });
      const result = await promotions.promote(ASKED);
      expect(result).to.include({ promoted: true, changed: true, canaryId: null });
      expect(result.reason).to.equal('promoted without evidence, as the configuration allows');
      const id = result.promotionId!;
      const [requested] = await bench.ledger.events({ subject: id });
      expect(requested?.data).to.deep.include({ canaryId: null, fromGate: '', previous: null, requestedBy: ACTOR });
      expect(await bench.calls()).to.deep.equal([`${id} 1 ${id} `]);
    });

    it('are refused even there against a rollback, or while a canary runs', async () => {
      await bench.canary('rolled back');
      const promotions = bench.promotions({ requireCanary: false });
      const error = await refusal(promotions.promote(ASKED));
      expect(error.message).to.match(/ended as ROLLED_BACK$/);
      expect(error.suggestions.join()).not.to.contain('requireCanary');
      await bench.canary('aborted');
      await bench.canary('running');
      expect((await refusal(promotions.promote(ASKED))).message).to.match(/is PENDING/);
    });
  });

  describe('with evidence', () => {
    for (const story of ['proved dry', 'overridden'] as const)
      it(`of a canary that was ${story} go through`, async () => {
        await bench.canary('rolled back');
        const canaryId = await bench.canary(story);
        if (story === 'overridden') await bench.rival();
        const result = await bench.promotions().promote(ASKED);
        expect(result).to.include({ promoted: true, changed: true, canaryId });
      });

    it('go by the last word: a canary that ended last, not one that began last', async () => {
      const first = await bench.canary('running');
      const second = await bench.canary('proved dry');
      await bench.canaries.abort(first, ACTOR, 'enough');
      const error = await refusal(bench.promotions().promote(ASKED));
      expect(error.message).to.contain(first).and.not.contain(second);
    });
  });

  describe('as a dry run', () => {
    it('say what would happen, write nothing and call nothing', async () => {
      const canaryId = await proved();
      const size = await bench.ledger.size();
      const promotions = bench.promotions({ hooks: [bench.noting()] });
      const result = await promotions.promote({ ...ASKED, dryRun: true });
      expect(result).to.deep.equal({
        modelId: MODEL,
        gate: GATE,
        dryRun: true,
        changed: true,
        currentGates: [],
        promoted: false,
        promotedAt: null,
        canaryId,
        promotionId: null,
        reason: `would be promoted on the evidence of canary ${canaryId}`,
      } satisfies PromotionResult);
      await promotions.promote(ASKED);
      const after = await promotions.promote({ ...ASKED, dryRun: true });
      expect(after).to.include({ dryRun: true, changed: false, promoted: true });
      expect(await bench.ledger.size()).to.equal(size + 5);
      expect(await bench.calls()).to.have.length(1);
    });
  });

  describe('asked for twice at once', () => {
    const both = async (first: Promotions, second: Promotions) => {
      const results = await Promise.all([first.promote(ASKED), second.promote(ASKED), first.promote(ASKED)]);
      expect(new Set(results.map(({ promotionId }) => promotionId)).size).to.equal(1);
      for (const result of results) expect(result).to.include({ promoted: true });
      expect(await promotionsOf()).to.have.length(1);
      expect(await bench.calls()).to.have.length(1);
      expect(await changes()).to.deep.equal([MODEL, 'rival', MODEL]);
    };

    it('in one process are one promotion', async () => {
      await proved();
      const promotions = bench.promotions({ hooks: [bench.noting()] });
      await both(promotions, promotions);
    });

    it('in two processes are one promotion', async () => {
      await proved();
      const hooks = [bench.noting('setTimeout(() => {}, 100)')];
      await both(bench.promotions({ hooks }), bench.promotions({ hooks, ledger: await bench.at.another() }));
    });
  });

  describe('whose hook fails', () => {
    it('leave the gate, name the hook, and are tried again as a new promotion', async () => {
      await proved();
      const hooks = [
        bench.noting(`if (require('fs').readFileSync(process.argv[1], 'utf8').split('\\n').length === 2) {
        console.error('no such cluster'); process.exit(3); }`),
      ];
      const promotions = bench.promotions({ hooks });
      const failed = await promotions.promote(ASKED);
      expect(failed).to.include({ promoted: false, changed: false, promotedAt: null });
      expect(failed.reason).to.equal('hook "deploy" failed: exit code 3: no such cluster');
      expect(await holderOf(bench.ledger, GATE)).to.equal('rival');
      expect((await promotions.get(failed.promotionId!)).state).to.equal('failed');
      const again = await promotions.promote(ASKED);
      expect(again).to.include({ promoted: true, changed: true });
      expect(again.promotionId).not.to.equal(failed.promotionId);
      expect((await bench.calls()).map((line) => line.split(' ').slice(0, 2).join(' '))).to.deep.equal([
        `${failed.promotionId} 1`,
        `${again.promotionId} 1`,
      ]);
    });
  });

  describe('that take longer than one waits', () => {
    it('go on in the background, and a later request joins them', async () => {
      await proved();
      const promotions = bench.promotions({ hooks: [bench.waiting()] });
      const early = await promotions.promote({ ...ASKED, waitMs: 50 });
      expect(early).to.include({ promoted: false, changed: false, reason: 'still running' });
      const dry = await promotions.promote({ ...ASKED, dryRun: true });
      expect(dry).to.include({ changed: true, promoted: false, promotionId: early.promotionId });
      const joined = promotions.promote(ASKED);
      await bench.open();
      expect(await joined).to.include({ promoted: true, changed: true, promotionId: early.promotionId });
      expect(await bench.calls()).to.have.length(1);
    });

    it('are stopped by close, their lease given back, and go on when lukhas runs again', async () => {
      await proved();
      const first = bench.promotions({ hooks: [bench.waiting()] });
      const asked = first.promote(ASKED);
      await until(async () => (await bench.calls()).length === 1);
      await first.close();
      const stopped = await asked;
      expect(stopped).to.include({ promoted: false });
      expect(stopped.reason).to.match(/^still running: lukhas is stopping/);
      const id = stopped.promotionId!;
      expect(await bench.ledger.lease(id)).to.equal(null);
      expect((await promotionsOf())[0]).to.include({ open: true, state: 'requested' });
      await bench.open();
      await bench.promotions({ hooks: [bench.waiting()] }).driveOpen(new AbortController().signal);
      expect(await holderOf(bench.ledger, GATE)).to.equal(MODEL);
      expect((await bench.calls()).map((line) => line.split(' ').slice(0, 2).join(' '))).to.deep.equal([
        `${id} 1`,
        `${id} 2`,
      ]);
    });

    it('are ended by the signal of driveOpen', async () => {
      await proved();
      const first = bench.promotions({ hooks: [bench.waiting()] });
      await first.promote({ ...ASKED, waitMs: 50 });
      await first.close();
      await bench.forget();
      const stop = new AbortController();
      const driving = bench.promotions({ hooks: [bench.waiting()] }).driveOpen(stop.signal);
      await until(async () => (await bench.calls()).length === 1);
      stop.abort(new Error('enough'));
      await driving;
      const [head] = await promotionsOf();
      expect(head?.open).to.equal(true);
      expect(await bench.ledger.lease(head!.subject)).to.equal(null);
    });
  });

  describe('killed', () => {
    for (const lost of ['hook.intended', 'hook.finished', 'gate.changed', 'promotion.finished'] as const)
      it(`before ${lost} go on with the same key, and call nothing again that has finished`, async () => {
        await proved();
        const hooks = [bench.noting()];
        const crash = new Error('killed');
        const dying = bench.promotions({ hooks, ledger: bench.dying(lost, crash) });
        expect(await dying.promote(ASKED).catch((e: unknown) => e)).to.equal(crash);
        expect(await bench.calls()).to.have.length(lost === 'hook.intended' ? 0 : 1);
        const [open] = await promotionsOf();
        expect(open).to.include({ open: true });
        const result = await bench.promotions({ hooks }).promote(ASKED);
        expect(result).to.include({ promoted: true, changed: true, promotionId: open!.subject });
        const attempts = lost === 'hook.finished' ? ['1', '2'] : ['1'];
        expect((await bench.calls()).map((line) => line.split(' ').slice(0, 2))).to.deep.equal(
          attempts.map((attempt) => [open!.subject, attempt]),
        );
        expect(await changes()).to.deep.equal([MODEL, 'rival', MODEL]);
        expect((await bench.kinds(open!.subject)).filter((kind) => kind === 'promotion.finished')).to.have.length(1);
      });

    it('before the request was written leave nothing', async () => {
      await proved();
      const size = await bench.ledger.size();
      const crash = new Error('killed');
      const dying = bench.promotions({ ledger: bench.dying('promotion.requested', crash) });
      expect(await dying.promote(ASKED).catch((e: unknown) => e)).to.equal(crash);
      expect(await bench.ledger.size()).to.equal(size);
      expect(await bench.ledger.lease(`gate:${GATE}`)).to.equal(null);
      expect(await bench.promotions().promote(ASKED)).to.include({ promoted: true });
    });

    it('with their lease held by a dead process are taken up at once', async () => {
      await proved();
      const dying = bench.promotions({
        ledger: bench.dying('hook.intended', new Error('killed')),
        hooks: [bench.noting()],
      });
      await dying.promote(ASKED).catch(() => undefined);
      const [open] = await promotionsOf();
      await bench.ledger.acquireLease(open!.subject, deadHolder(), Date.now(), 3_600_000);
      await bench.promotions({ hooks: [bench.noting()] }).driveOpen(new AbortController().signal);
      expect(await holderOf(bench.ledger, GATE)).to.equal(MODEL);
    });

    /** Killed before its first hook, or after its last. */
    const killed = async (lost: 'hook.intended' | 'gate.changed' | 'promotion.finished') => {
      await proved();
      const dying = bench.promotions({ hooks: [bench.noting()], ledger: bench.dying(lost, new Error('killed')) });
      await dying.promote(ASKED).catch(() => undefined);
      return bench.promotions({ hooks: [bench.noting()] });
    };
    const GIVEN_UP = /^cancelled: the gate, .* changed before the promotion was complete$/;

    it('before their hooks are given up when a canary was rolled back since', async () => {
      const promotions = await killed('hook.intended');
      await bench.canary('rolled back');
      const result = await promotions.promote(ASKED);
      expect(result).to.include({ promoted: false, changed: false });
      expect(result.reason).to.match(GIVEN_UP);
      expect(await bench.calls()).to.deep.equal([]);
      expect(await holderOf(bench.ledger, GATE)).to.equal('rival');
      expect((await refusal(promotions.promote(ASKED))).code).to.equal('NO_EVIDENCE');
    });

    it('before their hooks are given up when another model entered since', async () => {
      const promotions = await killed('hook.intended');
      await bench.canary('proved', { modelId: 'third' });
      expect((await promotions.promote(ASKED)).reason).to.match(GIVEN_UP);
      expect(await holderOf(bench.ledger, GATE)).to.equal('third');
      expect(await promotions.promote(ASKED)).to.include({ promoted: true, changed: true });
    });

    it('after their hooks are given up when another model entered since: its hooks came last', async () => {
      const promotions = await killed('gate.changed');
      await bench.canary('proved', { modelId: 'third' });
      expect((await promotions.promote(ASKED)).reason).to.match(GIVEN_UP);
      expect(await bench.calls()).to.have.length(1);
      expect(await holderOf(bench.ledger, GATE)).to.equal('third');
    });

    it('after the gate was set do not take it back from who entered since', async () => {
      const promotions = await killed('promotion.finished');
      await bench.canary('proved', { modelId: 'third' });
      await promotions.driveOpen(new AbortController().signal);
      expect(await changes()).to.deep.equal([MODEL, 'rival', MODEL, 'third']);
      const [head] = await promotionsOf();
      expect((await promotions.get(head!.subject)).result).to.deep.include({ ok: true, changed: true });
    });
  });

  it('rows are built again from the log', async () => {
    await proved();
    const failing = bench.promotions({ hooks: [bench.noting('process.exit(1)')] });
    await failing.promote(ASKED);
    await bench.promotions({ hooks: [bench.noting()] }).promote(ASKED);
    await setGate(bench.ledger, { gate: GATE, modelId: 'x', canaryId: null, by: ACTOR, ts: '2026-03-02T00:00:00Z' });
    const dying = bench.promotions({
      ledger: bench.dying('hook.finished', new Error('killed')),
      hooks: [bench.noting()],
    });
    await dying.promote(ASKED).catch(() => undefined);
    const rows = async () => new Map((await bench.ledger.summaries()).map((head) => [head.subject, head]));
    const stored = await rows();
    const states = [...stored.values()].filter((h) => h.type === 'promotion').map(({ state, open }) => [state, open]);
    expect(states).to.have.deep.members([
      ['failed', false],
      ['promoted', false],
      ['requested', true],
    ]);
    expect(await bench.ledger.rebuildSummaries(foldSummaries)).to.equal(stored.size);
    expect(await rows()).to.deep.equal(stored);
  });
});

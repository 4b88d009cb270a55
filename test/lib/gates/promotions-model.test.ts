import { expect } from 'chai';
import fc from 'fast-check';
import { LukhasError } from '../../../src/lib/errors.js';
import { gateHistory, holderOf } from '../../../src/lib/gates/registry.js';
import { ACTOR } from '../canary/harness.js';
import { Bench, GATE, MODEL, type Story } from './promotion-place.js';

type Ended = Exclude<Story, 'running'>;
type Op =
  | { op: 'canary'; story: Ended }
  | { op: 'start' | 'stop' | 'rival' }
  | { op: 'promote'; dryRun: boolean; requireCanary: boolean }
  | { op: 'killed'; before: 'gate.changed' | 'promotion.finished'; requireCanary: boolean };

const ops: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('canary' as const),
      story: fc.constantFrom<Ended>(
        'proved',
        'proved dry',
        'overridden',
        'let pass',
        'rolled back',
        'blocked',
        'aborted',
      ),
    }),
  },
  { weight: 3, arbitrary: fc.record({ op: fc.constantFrom('start' as const, 'stop' as const, 'rival' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({ op: fc.constant('promote' as const), dryRun: fc.boolean(), requireCanary: fc.boolean() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant('killed' as const),
      before: fc.constantFrom('gate.changed' as const, 'promotion.finished' as const),
      requireCanary: fc.boolean(),
    }),
  },
);

/** What is known without looking into the log. */
interface Model {
  holder: string | null;
  /** The last word of the model's canaries. */
  word: 'none' | 'proof' | 'rollback' | 'no proof';
  running: string[];
  /** A promotion left open, and what has happened since. */
  open: { changed: boolean; entered: boolean; word: boolean } | null;
}

const WORDS = { proved: 'proof', 'proved dry': 'proof', overridden: 'proof', 'rolled back': 'rollback' } as const;

class World {
  readonly model: Model = { holder: null, word: 'none', running: [], open: null };
  readonly crash = new Error('killed');

  constructor(
    readonly bench: Bench,
    readonly seen: Set<string>,
  ) {}

  async step(op: Op): Promise<void> {
    this.bench.clock.time += 1000;
    switch (op.op) {
      case 'canary':
        return this.canary(op.story);
      case 'start':
        this.model.running.push(await this.bench.canary('running'));
        return;
      case 'stop': {
        const id = this.model.running.pop();
        if (id === undefined) return;
        await this.bench.canaries.abort(id, ACTOR, 'enough');
        return this.said('no proof');
      }
      case 'rival':
        await this.bench.rival();
        return this.entered('rival');
      case 'promote':
        return op.dryRun ? this.foresee(op.requireCanary) : this.promote(op.requireCanary);
      case 'killed':
        return this.killed(op.before, op.requireCanary);
    }
  }

  private async canary(story: Ended): Promise<void> {
    await this.bench.canary(story);
    this.said(WORDS[story as keyof typeof WORDS] ?? 'no proof');
    if (['proved', 'overridden', 'let pass'].includes(story)) this.entered(MODEL);
  }

  private said(word: Model['word']): void {
    this.model.word = word;
    if (this.model.open) this.model.open.word = true;
  }

  private entered(model: string): void {
    if (this.model.holder === model) return;
    this.model.holder = model;
    if (!this.model.open) return;
    this.model.open.changed = true;
    if (model === MODEL) this.model.open.entered = true;
  }

  /** What a request must come to. */
  private expected(requireCanary: boolean): 'held' | 'refused' | 'given up' | 'entered before' | 'enters' {
    const { holder, word, running, open } = this.model;
    if (open) {
      if (open.entered) return 'entered before';
      return open.changed || (open.word && word !== 'proof') ? 'given up' : 'enters';
    }
    if (holder === MODEL) return 'held';
    const permitted = word === 'proof' || (!requireCanary && word !== 'rollback');
    return permitted && running.length === 0 ? 'enters' : 'refused';
  }

  private ask(dryRun: boolean, requireCanary: boolean) {
    return this.bench
      .promotions({ requireCanary })
      .promote({ modelId: MODEL, gate: GATE, dryRun, by: ACTOR })
      .catch((error: unknown) => {
        if (error instanceof LukhasError && error.code === 'NO_EVIDENCE') return 'refused' as const;
        throw error;
      });
  }

  private async promote(requireCanary: boolean): Promise<void> {
    const { bench, model } = this;
    const expected = this.expected(requireCanary);
    this.seen.add(`${model.open ? 'open: ' : ''}${expected}`);
    const before = await bench.ledger.size();
    const result = await this.ask(false, requireCanary);
    if (expected === 'refused') expect(result).to.equal('refused');
    else expect(result).to.include({ promoted: expected !== 'given up', dryRun: false });
    if (expected === 'held' || expected === 'refused') expect(await bench.ledger.size()).to.equal(before);
    model.open = null;
    if (expected !== 'enters') return;
    model.holder = MODEL;
    // Twice is once.
    const size = await bench.ledger.size();
    expect(await this.ask(false, requireCanary)).to.include({ promoted: true, changed: false });
    expect(await bench.ledger.size()).to.equal(size);
  }

  private async foresee(requireCanary: boolean): Promise<void> {
    const { bench, model } = this;
    const size = await bench.ledger.size();
    const result = await this.ask(true, requireCanary);
    const expected = this.expected(requireCanary);
    const changed = model.open !== null || expected === 'enters';
    expect(result).to.include({ dryRun: true, changed, promoted: expected === 'held' && model.open === null });
    expect(await bench.ledger.size()).to.equal(size);
  }

  private async killed(before: 'gate.changed' | 'promotion.finished', requireCanary: boolean): Promise<void> {
    const { bench, model } = this;
    const expected = this.expected(requireCanary);
    const ledger = bench.dying(before, this.crash);
    const outcome = await bench
      .promotions({ requireCanary, ledger })
      .promote({ modelId: MODEL, gate: GATE, dryRun: false, by: ACTOR })
      .catch((error: unknown) => error);
    if (expected === 'held' || expected === 'refused') {
      expect(outcome).not.to.equal(this.crash);
      return;
    }
    // Without a gate to change there is nothing to be killed before.
    const survives = before === 'gate.changed' && expected !== 'enters';
    if (survives) {
      expect(outcome).to.include({ promoted: expected !== 'given up' });
      model.open = null;
      return;
    }
    expect(outcome).to.equal(this.crash);
    this.seen.add(`killed before ${before}`);
    model.open ??= { changed: false, entered: false, word: false };
    if (before === 'promotion.finished' && expected === 'enters') this.entered(MODEL);
  }

  /** Whatever the model above says: each entry without a canary has its promotion, and that has its proof. */
  async check(): Promise<void> {
    const { bench } = this;
    expect(await holderOf(bench.ledger, GATE)).to.equal(this.model.holder);
    const events = await bench.ledger.events();
    for (const { seq, canaryId, modelId } of await gateHistory(bench.ledger, GATE)) {
      if (canaryId !== null) continue;
      const request = events.findLast((e) => e.kind === 'promotion.requested' && e.seq < seq);
      if (request?.kind !== 'promotion.requested') return expect.fail(`the gate changed at ${seq} without a request`);
      expect(request.data.modelId).to.equal(modelId);
      if (request.data.canaryId === null) continue;
      const proof = events.findLast(
        (e) => e.subject === request.data.canaryId && ['canary.decided', 'canary.overridden'].includes(e.kind),
      );
      const decision = proof?.kind === 'canary.decided' ? proof.data.verdict.decision : proof?.kind;
      expect(decision).to.be.oneOf(['promote', 'canary.overridden']);
      expect(proof?.seq).to.be.lessThan(request.seq);
    }
  }
}

describe('promotions, whatever happens', () => {
  it('give a gate on evidence or not at all, and twice is once', async () => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.array(ops, { minLength: 4, maxLength: 14 }), async (sequence) => {
        const bench = await Bench.begin();
        try {
          const world = new World(bench, seen);
          for (const op of sequence) {
            await world.step(op);
            await world.check();
          }
        } finally {
          await bench.end();
        }
      }),
      // Seeded: the situations that must come up below do so in every run.
      { numRuns: 80, seed: 7 },
    );
    expect([...seen]).to.include.members([
      'held',
      'refused',
      'enters',
      'open: enters',
      'open: entered before',
      'open: given up',
      'killed before gate.changed',
      'killed before promotion.finished',
    ]);
  });
});

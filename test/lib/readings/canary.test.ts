import { expect } from 'chai';
import fc from 'fast-check';
import { Canaries } from '../../../src/lib/canary/canaries.js';
import { LukhasError } from '../../../src/lib/errors.js';
import type { HookConfig } from '../../../src/lib/gates/hook.js';
import { setGate } from '../../../src/lib/gates/registry.js';
import { judge } from '../../../src/lib/judge/report.js';
import type { Decision } from '../../../src/lib/judge/verdict.js';
import type { CanaryState, EventData, EventKind, StoredEvent } from '../../../src/lib/ledger/events.js';
import type { SubjectSummary } from '../../../src/lib/ledger/ledger.js';
import {
  applyEvent,
  assertAllowed,
  type Canary,
  canarySummary,
  foldCanary,
  isOpen,
  isTerminal,
} from '../../../src/lib/readings/canary.js';
import { foldSummaries } from '../../../src/lib/readings/summaries.js';
import {
  ACTOR,
  BAD,
  drive,
  driver,
  FakeClock,
  type Found,
  HEALTHY,
  type Place,
  place,
  SILENT,
  START,
  scripted,
  start,
} from '../canary/harness.js';
import { policy } from '../judge/looks.js';

const P = policy({ targets: { max_error_rate: 0.02 }, windowSeconds: 20, noDataSeconds: 10 });
const ID = 'c-1';

/** What each kind leads to from each state, as the documents say it; nothing else is legal. */
const ENDS: Record<Decision, CanaryState> = {
  promote: 'PROMOTED',
  rollback: 'ROLLED_BACK',
  block: 'BLOCKED',
  continue: 'BLOCKED',
};
const STAYS = { RUNNING: 'RUNNING' } as const;
const ACTED = { PROMOTED: 'PROMOTED', ROLLED_BACK: 'ROLLED_BACK' } as const;
const LEADS: { [K in EventKind]?: Partial<Record<CanaryState, CanaryState | 'decision'>> } = {
  'canary.started': { PENDING: 'RUNNING' },
  'canary.extended': STAYS,
  'canary.held': STAYS,
  'fallback.engaged': { PENDING: 'PENDING', RUNNING: 'RUNNING' },
  'fallback.released': STAYS,
  'canary.decided': { RUNNING: 'decision' },
  'canary.aborted': { PENDING: 'ABORTED', RUNNING: 'ABORTED' },
  'canary.failed': { PENDING: 'FAILED', RUNNING: 'FAILED' },
  'canary.overridden': { BLOCKED: 'PROMOTED' },
  'canary.acted': ACTED,
  'canary.retried': ACTED,
  'hook.intended': ACTED,
  'hook.finished': ACTED,
};

type Plain = { [K in EventKind]: { kind: K; data: EventData[K] } }[EventKind];

const by = ACTOR;
const verdicts = fc
  .constantFrom<Decision>('promote', 'rollback', 'block')
  .map((decision) => ({ ...judge(P, START, []), decision }));
const action = fc.constantFrom<'promote' | 'rollback'>('promote', 'rollback');
const plain: fc.Arbitrary<Plain> = fc.oneof<fc.Arbitrary<Plain>[]>(
  fc.constant({ kind: 'canary.started', data: { startedAt: START } }),
  fc.constant({ kind: 'canary.extended', data: { tick: 4, windowEndsAt: START, reason: 'undecided' } }),
  fc.constant({ kind: 'canary.held', data: { tick: 4, objective: 'error_rate' } }),
  fc.constant({ kind: 'fallback.engaged', data: { tick: 4, since: START, total: true, states: {} } }),
  fc.constant({ kind: 'fallback.released', data: { tick: 4, seconds: 3 } }),
  verdicts.map((verdict) => ({
    kind: 'canary.decided',
    data: { verdict, observations: { count: 0, firstAt: null, lastAt: null, digest: '0'.repeat(64) } },
  })),
  fc.constant({ kind: 'canary.aborted', data: { by, reason: 'enough' } }),
  fc.constant({ kind: 'canary.failed', data: { code: 'CONFIG', message: 'no' } }),
  fc.constant({ kind: 'canary.overridden', data: { by, reason: 'known' } }),
  fc
    .tuple(action, fc.boolean())
    .map(([a, ok]) => ({ kind: 'canary.acted', data: { action: a, ok, failed: ok ? null : 'deploy', hooks: 1 } })),
  action.map((a) => ({ kind: 'canary.retried', data: { by, action: a } })),
  action.map((a) => ({ kind: 'hook.intended', data: { action: a, hook: 'deploy', index: 0, attempt: 1, key: ID } })),
);

const requested = (dryRun: boolean): StoredEvent => ({
  seq: 0,
  v: 1,
  kind: 'canary.requested',
  subject: ID,
  ts: '2026-03-01T12:00:00.000Z',
  data: {
    modelId: 'm',
    fromGate: 'stage',
    toGate: 'production',
    policy: P,
    policyDigest: '0'.repeat(64),
    source: { kind: 'none' },
    dryRun,
    requestedBy: ACTOR,
  },
});

const at = (p: Plain, seq: number) =>
  ({ ...p, seq, v: 1, subject: ID, ts: new Date(START + seq).toISOString() }) as StoredEvent;

function refused(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    expect(error).to.be.instanceOf(LukhasError);
    return (error as LukhasError).code;
  }
  return 'accepted';
}

describe('state of a canary', () => {
  it('changes by legal events only, and never leaves a terminal state but by override', () => {
    const reached = new Set<string>();
    fc.assert(
      fc.property(fc.boolean(), fc.array(plain, { minLength: 10, maxLength: 40 }), (dryRun, all) => {
        const log: StoredEvent[] = [requested(dryRun)];
        let canary = foldCanary(log) as Canary;
        for (const p of all) {
          const event = at(p, log.length);
          const to = LEADS[event.kind]?.[canary.state];
          if (to === undefined) {
            expect(refused(() => assertAllowed(canary, event.kind))).to.equal('ILLEGAL_TRANSITION');
            expect(refused(() => applyEvent(canary, event))).to.equal('LEDGER_CORRUPT');
            continue;
          }
          assertAllowed(canary, event.kind);
          const before = canary;
          canary = applyEvent(canary, event);
          log.push(event);
          const expected =
            to === 'decision' ? ENDS[(p as Extract<Plain, { kind: 'canary.decided' }>).data.verdict.decision] : to;
          expect(canary.state).to.equal(expected);
          if (isTerminal(before.state) && before.state !== canary.state)
            expect([before.state, event.kind]).to.deep.equal(['BLOCKED', 'canary.overridden']);
          expect(canary.lastSeq).to.equal(event.seq);
          expect(canarySummary(canary).open).to.equal(isOpen(canary));
          if (event.kind === 'canary.decided' || event.kind === 'canary.overridden')
            expect(isOpen(canary)).to.equal(!dryRun && canary.state !== 'BLOCKED');
          reached.add(`${canary.state} ${canary.action.state}`);
        }
        expect(foldCanary(log)).to.deep.equal(canary);
      }),
      // Seeded: the states that must come up below do so in every run.
      { numRuns: 300, seed: 1 },
    );
    expect([...reached]).to.include.members([
      'PENDING none',
      'RUNNING none',
      'PROMOTED pending',
      'PROMOTED done',
      'PROMOTED failed',
      'ROLLED_BACK pending',
      'BLOCKED none',
      'ABORTED none',
      'FAILED none',
    ]);
  });

  it('does not change what it was folded from', () => {
    const canary = Object.freeze(foldCanary([requested(false)]) as Canary);
    const next = applyEvent(canary, at({ kind: 'canary.started', data: { startedAt: START } }, 1));
    expect([canary.state, canary.startedAt, next.state, next.startedAt]).to.deep.equal([
      'PENDING',
      null,
      'RUNNING',
      START,
    ]);
  });

  it('begins with its request', () => {
    const started = at({ kind: 'canary.started', data: { startedAt: START } }, 7);
    expect(refused(() => foldCanary([started]))).to.equal('LEDGER_CORRUPT');
    expect(foldCanary([])).to.equal(null);
    expect(refused(() => foldCanary([requested(false), requested(false)]))).to.equal('LEDGER_CORRUPT');
  });

  it('keeps the time of its decision while its hooks are called', () => {
    const promote = { ...judge(P, START, []), decision: 'promote' as const };
    const decided = {
      kind: 'canary.decided' as const,
      data: { verdict: promote, observations: { count: 0, firstAt: null, lastAt: null, digest: '0'.repeat(64) } },
    };
    const events: Plain[] = [
      { kind: 'canary.started', data: { startedAt: START } },
      decided,
      { kind: 'hook.intended', data: { action: 'promote', hook: 'deploy', index: 0, attempt: 1, key: ID } },
    ];
    const canary = foldCanary([requested(false), ...events.map((p, i) => at(p, i + 1))]);
    expect(canary?.decidedAt).to.equal(new Date(START + 2).toISOString());
    expect(canary?.updatedAt).to.equal(new Date(START + 3).toISOString());
  });
});

const FAILING: HookConfig = {
  name: 'fails',
  exec: { command: [process.execPath, '-e', 'process.exit(1)'], timeoutSeconds: 10, env: {} },
};

type Story = 'good' | 'bad' | 'silent' | 'refused' | 'unfinished' | 'pending';
interface Told {
  story: Story;
  after: After;
  model: string;
  gate: string;
  dryRun: boolean;
}
type After = 'nothing' | 'abort' | 'override' | 'retry' | 'gate by hand';

const SCRIPTS: Record<Story, (look: number) => Found> = {
  good: () => HEALTHY,
  bad: () => BAD,
  silent: () => SILENT,
  refused: () => HEALTHY,
  unfinished: (look) => (look < 3 ? HEALTHY : SILENT),
  pending: () => HEALTHY,
};

describe('heads', () => {
  let here: Place;
  beforeEach(async () => {
    here = await place();
  });
  afterEach(() => here.close());

  const stories: fc.Arbitrary<Told> = fc.record({
    story: fc.constantFrom<Story>('good', 'good', 'bad', 'silent', 'refused', 'unfinished', 'pending'),
    after: fc.constantFrom<After>('nothing', 'abort', 'override', 'retry', 'gate by hand'),
    model: fc.constantFrom('fraud-v1', 'fraud-v2', 'c-model'),
    gate: fc.constantFrom('production', 'eu/production'),
    dryRun: fc.boolean(),
  });

  async function tell({ story, after, model, gate, dryRun }: Told, clock: FakeClock, failing: boolean) {
    const { ledger } = here;
    const canaries = new Canaries(ledger, clock);
    const { id } = await start(ledger, clock, { policy: P, modelId: model, toGate: gate, dryRun });
    const refuse = { check: () => Promise.reject(new LukhasError('SOURCE_REFUSED', 'not you')) };
    const source = scripted(clock, SCRIPTS[story], story === 'refused' ? refuse : {});
    const hooks = { promote: failing ? [FAILING] : [], rollback: [] };
    const context = { ...driver({ ledger, clock, source, hooks }), clock };
    let steps = 0;
    const stop = new Error('enough');
    if (story !== 'pending')
      await drive(context, id, () => {
        if (story === 'unfinished' && ++steps > 3) throw stop;
      }).catch((error: unknown) => {
        if (error !== stop) throw error;
      });
    const refusedLate = (error: unknown) => {
      expect(error).to.have.property('code', 'ILLEGAL_TRANSITION');
    };
    if (after === 'abort') await canaries.abort(id, ACTOR, 'enough').catch(refusedLate);
    if (after === 'override') {
      await canaries.override(id, ACTOR, 'known').catch(refusedLate);
      if (story !== 'unfinished' && story !== 'pending') await drive(context, id);
    }
    if (after === 'retry') await canaries.retry(id, ACTOR).catch(refusedLate);
    if (after === 'gate by hand')
      await setGate(ledger, {
        gate,
        modelId: model,
        canaryId: null,
        by: ACTOR,
        ts: new Date(clock.time).toISOString(),
      });
  }

  const bySubject = (heads: SubjectSummary[]) => new Map(heads.map((h) => [h.subject, h]));

  it('built again from the log are those that were stored', async () => {
    const clock = new FakeClock();
    const states = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.array(stories, { minLength: 1, maxLength: 4 }), fc.nat(9), async (all, hooks) => {
        for (const one of all) await tell(one, clock, hooks === 0);
        const stored = bySubject(await here.ledger.summaries());
        const count = await here.ledger.rebuildSummaries(foldSummaries);
        const rebuilt = bySubject(await here.ledger.summaries());
        expect(count).to.equal(stored.size);
        expect(rebuilt).to.deep.equal(stored);
        for (const { type, state, data } of stored.values()) states.add(`${type} ${state} ${data['action'] ?? ''}`);
      }),
      // Seeded: the states that must come up below do so in every run.
      { numRuns: 60, seed: 1 },
    );
    expect([...states]).to.include.members([
      'canary PENDING none',
      'canary RUNNING none',
      'canary PROMOTED done',
      'canary PROMOTED failed',
      'canary PROMOTED none',
      'canary ROLLED_BACK done',
      'canary BLOCKED none',
      'canary ABORTED none',
      'canary FAILED none',
      'gate held ',
    ]);
  });
});

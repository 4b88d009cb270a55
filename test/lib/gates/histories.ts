import { createHash } from 'node:crypto';
import fc from 'fast-check';
import type { Policy } from '../../../src/lib/judge/policy.js';
import type { Verdict } from '../../../src/lib/judge/verdict.js';
import type { EventDraft, StoredEvent } from '../../../src/lib/ledger/events.js';
import { policyDigest } from '../../../src/lib/ledger/tree/policy-digest.js';
import { ACTOR } from '../canary/harness.js';
import { policy } from '../judge/looks.js';

export const MODELS = ['fraud-v1', 'fraud-v2'] as const;
export const GATES = ['eu', 'production'] as const;

const TARGETS = { targets: { max_error_rate: 0.02 }, windowSeconds: 30, noDataSeconds: 15 };
const PLAIN = policy(TARGETS);
const ASKING = policy({ ...TARGETS, approvals: { required: 1, not: 'nobody' } });
const TS = '2026-03-01T12:00:00.000Z';
/** Of no observations: none are recorded. */
const NONE = { count: 0, firstAt: null, lastAt: null, digest: createHash('sha256').digest('hex') };

type Step = (draft: Draft) => EventDraft;
type Draft = (kind: EventDraft['kind'], data: unknown) => EventDraft;

const started: Step = (draft) => draft('canary.started', { startedAt: Date.parse(TS) });
const decided =
  (decision: Verdict['decision'], met = true): Step =>
  (draft) =>
    draft('canary.decided', {
      verdict: { ...VERDICT, decision, objectives: [{ ...OBJECTIVE, met }] },
      observations: NONE,
    });
const acted =
  (action: 'promote' | 'rollback', ok = true): Step =>
  (draft) =>
    draft('canary.acted', { action, ok, failed: ok ? null : 'deploy', hooks: 1 });
const aborted: Step = (draft) => draft('canary.aborted', { by: ACTOR, reason: 'enough' });
const overridden: Step = (draft) => draft('canary.overridden', { by: ACTOR, reason: 'known' });

const VERDICT = {
  judge: 1,
  certainty: 'certified',
  reason: 'targets_met',
  decidedBy: null,
  tick: 6,
  at: 1,
  startedAt: 0,
  elapsedSeconds: 30,
  savedSeconds: 0,
  evidence: { logE: 0, logThreshold: 4.6, path: [] },
  ticks: { looked: 7, withData: 6, planned: 7, gaps: 0, resets: 0 },
  coverage: 1,
  noData: null,
  assumptions: [],
};
const OBJECTIVE = { type: 'reading', name: 'x' };

/** What happens to a canary after its request, in order; a history may end anywhere in it. */
const STORIES = {
  promoted: { steps: [started, decided('promote'), acted('promote')] },
  'promoted, dry': { dryRun: true, steps: [started, decided('promote')] },
  'let pass': { steps: [started, decided('promote', false), acted('promote')] },
  'hook failed': { steps: [started, decided('promote'), acted('promote', false)] },
  'rolled back': { steps: [started, decided('rollback'), acted('rollback')] },
  blocked: { steps: [started, decided('block')] },
  overridden: { steps: [started, decided('block'), overridden, acted('promote')] },
  aborted: { steps: [started, aborted] },
  'awaiting approval': { policy: ASKING, steps: [started, decided('promote')] },
} satisfies Record<string, { policy?: Policy; dryRun?: boolean; steps: Step[] }>;

type Story = { policy?: Policy; dryRun?: boolean; steps: Step[] };

interface Plan {
  canaries: { story: keyof typeof STORIES; modelId: string; gate: string; done: boolean }[];
  promotions: { modelId: string; gate: string; end: 'open' | 'failed' }[];
  /** Who goes on next, and who enters which gate in between. */
  picks: number[];
}

const model = fc.constantFrom(...MODELS);
const gate = fc.constantFrom(...GATES);

export const plans: fc.Arbitrary<Plan> = fc.record({
  canaries: fc.array(
    fc.record({
      story: fc.constantFrom(...(Object.keys(STORIES) as (keyof typeof STORIES)[])),
      modelId: model,
      gate,
      done: fc.boolean(),
    }),
    { minLength: 1, maxLength: 6 },
  ),
  promotions: fc.array(fc.record({ modelId: model, gate, end: fc.constantFrom('open' as const, 'failed' as const) }), {
    maxLength: 2,
  }),
  picks: fc.array(fc.nat(), { minLength: 4, maxLength: 24 }),
});

/** The events of a plan: each canary's own in order, those of several in turns. */
export function history(plan: Plan): EventDraft[] {
  const lines = [
    ...plan.canaries.map(({ story, modelId, gate: toGate, done }, i) => ({
      done,
      left: lifeOf(`c-${i}00000`, STORIES[story], modelId, toGate),
    })),
    ...plan.promotions.map((asked, i) => ({ done: false, left: requestOf(`p-${i}00000`, asked) })),
    { done: false, left: [entry('other', GATES[0]), entry(MODELS[0], GATES[1]), entry('other', GATES[1])] },
  ];
  const events = plan.picks.flatMap((pick) => lines[pick % lines.length]?.left.splice(0, 1) ?? []);
  // Those that come to their end do so one after the other, in whatever order the rest has left.
  return [...events, ...lines.flatMap(({ done, left }) => (done ? left : []))];
}

const drafting =
  (subject: string): Draft =>
  (kind, data) =>
    ({ kind, subject, ts: TS, data }) as EventDraft;

function lifeOf(id: string, { policy: judged = PLAIN, dryRun = false, steps }: Story, modelId: string, toGate: string) {
  const draft = drafting(id);
  const places = { modelId, fromGate: 'stage', toGate };
  const asked = { policy: judged, policyDigest: policyDigest(judged), source: { kind: 'none' }, dryRun };
  return [draft('canary.requested', { ...places, ...asked, requestedBy: ACTOR }), ...steps.map((step) => step(draft))];
}

function requestOf(id: string, { modelId, gate: into, end }: Plan['promotions'][number]): EventDraft[] {
  const draft = drafting(id);
  const data = { modelId, gate: into, fromGate: '', previous: null, canaryId: null, requestedBy: ACTOR };
  const failed = { ok: false, failed: 'deploy', hooks: 1, changed: false };
  return [draft('promotion.requested', data), ...(end === 'failed' ? [draft('promotion.finished', failed)] : [])];
}

function entry(modelId: string, into: string): EventDraft {
  return drafting(`gate:${into}`)('gate.changed', { gate: into, modelId, previous: null, canaryId: null, by: ACTOR });
}

/** What the entries say, read without the product's own code. */
export class Oracle {
  constructor(readonly events: readonly StoredEvent[]) {}

  /** Decided and to be carried out, by what was decided. */
  pending(action: 'promote' | 'rollback'): string[] {
    return this.#canaries().flatMap((c) => (c.pending === action ? [c.id] : []));
  }

  /** What a request for a promotion has to come to. */
  expected(modelId: string, into: string, requireCanary: boolean): 'held' | 'refused' | 'enters' | 'given up' {
    const changes = this.events.flatMap((e) => (e.kind === 'gate.changed' && e.data.gate === into ? [e] : []));
    const own = this.#canaries().filter((c) => c.modelId === modelId && c.gate === into);
    const ended = own.filter((c) => !c.open && c.end !== null);
    const last = ended.reduce<Canary | null>((a, c) => (a === null || (c.end ?? 0) > (a.end ?? 0) ? c : a), null);
    const open = this.#openPromotion(modelId, into);
    if (open !== null) {
      const since = changes.filter(({ seq }) => seq > open);
      if (since.length > 0) return since.some((c) => c.data.modelId === modelId) ? 'held' : 'given up';
      return last !== null && (last.end ?? 0) > open && !last.proves ? 'given up' : 'enters';
    }
    if (changes.at(-1)?.data.modelId === modelId) return 'held';
    if (own.some((c) => c.open)) return 'refused';
    const barred = last !== null && (last.rolledBack || last.approvals);
    return last?.proves || !(requireCanary || barred) ? 'enters' : 'refused';
  }

  #openPromotion(modelId: string, into: string): number | null {
    const ended = new Set(this.events.flatMap((e) => (e.kind === 'promotion.finished' ? [e.subject] : [])));
    const open = this.events.findLast(
      (e) =>
        e.kind === 'promotion.requested' && e.data.modelId === modelId && e.data.gate === into && !ended.has(e.subject),
    );
    return open?.seq ?? null;
  }

  #canaries(): Canary[] {
    return this.events.flatMap((e) => (e.kind === 'canary.requested' ? [this.#canary(e)] : []));
  }

  #canary({ subject: id, data }: Extract<StoredEvent, { kind: 'canary.requested' }>): Canary {
    const { modelId, toGate, dryRun, policy: judged } = data;
    const approvals = judged.approvals !== undefined;
    const canary: Canary = { id, modelId, gate: toGate, approvals, ...UNDECIDED };
    for (const event of this.events) {
      if (event.subject !== id) continue;
      if (event.kind === 'canary.decided') {
        const { decision, objectives } = event.data.verdict;
        const passes = decision === 'promote' && !approvals;
        const met = objectives.every((o) => o.type === 'reading' && o.met);
        const pending = dryRun ? null : passes ? 'promote' : decision === 'rollback' ? decision : null;
        Object.assign(canary, { end: event.seq, proves: passes && met, rolledBack: decision === 'rollback', pending });
      } else if (event.kind === 'canary.overridden')
        Object.assign(canary, { end: event.seq, proves: true, rolledBack: false, pending: 'promote' });
      else if (event.kind === 'canary.aborted') Object.assign(canary, { end: event.seq });
      else if (event.kind === 'canary.acted') canary.pending = null;
    }
    return { ...canary, open: canary.end === null || canary.pending !== null };
  }
}

const UNDECIDED = { open: true, end: null, proves: false, rolledBack: false, pending: null };

interface Canary {
  id: string;
  modelId: string;
  gate: string;
  approvals: boolean;
  open: boolean;
  /** seq of the entry that ended it. */
  end: number | null;
  proves: boolean;
  rolledBack: boolean;
  pending: 'promote' | 'rollback' | null;
}

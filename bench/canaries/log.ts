import { createHash } from 'node:crypto';
import { timestamp } from '../../src/lib/clock.js';
import type { Observation } from '../../src/lib/judge/observation.js';
import type { Policy } from '../../src/lib/judge/policy.js';
import { judge } from '../../src/lib/judge/report.js';
import type { EventDraft } from '../../src/lib/ledger/events.js';
import type { Ledger, SummaryDraft, Unit } from '../../src/lib/ledger/ledger.js';
import { canonicalJson } from '../../src/lib/ledger/tree/canonical.js';

const START = Date.UTC(2026, 0, 1);
const BY = { who: 'bench', how: 'os-user' } as const;
/** Canaries that share a model, and gates that they pass. */
const PER_MODEL = 10;
const GATES = ['production', 'eu', 'us', 'shadow'];
/** Canaries that are written at the same time. */
const AT_ONCE = 50;
const LOOKS = 20;

/**
 * Writes canaries from request to end, those of a group in turns: half are rolled back, half promoted and then hold
 * their gate. Each has as many events as it takes to come to `events` (calls of hooks), and at most 20 observations.
 * @returns their ids, oldest first
 */
export async function fillLog(
  ledger: Ledger,
  policy: Policy,
  { canaries, events }: { canaries: number; events: number },
): Promise<string[]> {
  const ids: string[] = [];
  const holders = new Map<string, string>();
  const each = Math.floor(events / canaries);
  for (let first = 0; first < canaries; first += AT_ONCE) {
    const group = Array.from({ length: Math.min(AT_ONCE, canaries - first) }, (_, i) =>
      unitsOf(first + i, each, policy, holders),
    );
    const longest = Math.max(...group.map(({ units }) => units.length));
    for (let step = 0; step < longest; step++)
      await Promise.all(group.flatMap(({ units }) => units.slice(step, step + 1).map((unit) => ledger.commit(unit))));
    ids.push(...group.map(({ id }) => id));
  }
  return ids;
}

function unitsOf(n: number, events: number, policy: Policy, holders: Map<string, string>) {
  const start = START + n * 60_000;
  const id = `c-${start.toString(36)}${(n * 7919).toString(16).padStart(6, '0')}`;
  const modelId = `model-${Math.floor(n / PER_MODEL)}`;
  const toGate = GATES[n % GATES.length] as string;
  const bad = n % 2 === 1;
  const looks = Array.from({ length: LOOKS }, (_, tick) => observation(start, tick, bad));
  const verdict = judge(policy, start, looks);
  // Nothing is observed once it is decided.
  const observations = looks.slice(0, verdict.tick + 1);
  const action = verdict.decision === 'promote' ? ('promote' as const) : ('rollback' as const);
  const state = action === 'promote' ? 'PROMOTED' : 'ROLLED_BACK';
  const draft = (kind: EventDraft['kind'], data: unknown, after = 0, subject = id) =>
    ({ kind, subject, ts: timestamp(start + after), data }) as EventDraft;
  const head = (s: string, open: boolean): SummaryDraft => ({
    subject: id,
    type: 'canary',
    state: s,
    modelId,
    open,
    data: { fromGate: 'stage', toGate, dryRun: false, reason: null, action: 'none' },
  });
  const request = {
    modelId,
    fromGate: 'stage',
    toGate,
    policy,
    policyDigest: sha256(canonicalJson(policy)),
    source: { kind: 'none' },
    dryRun: false,
    requestedBy: n === 3 ? { ...BY, who: 'zebra' } : BY,
  };
  const decision = {
    verdict: { ...verdict, decision: action },
    observations: {
      count: observations.length,
      firstAt: observations[0]?.t ?? null,
      lastAt: observations.at(-1)?.t ?? null,
      digest: sha256(...observations.map((o) => `${canonicalJson(o)}\n`)),
    },
  };
  const gate = { gate: toGate, modelId, previous: holders.get(toGate) ?? null, canaryId: id, by: BY };
  const changes = action === 'promote' && gate.previous !== modelId;
  if (changes) holders.set(toGate, modelId);
  const calls = Math.max(0, Math.floor((events - (changes ? 5 : 4)) / 2));
  const units: Unit[] = [
    { events: [draft('canary.requested', request)], summaries: [head('PENDING', true)] },
    { events: [draft('canary.started', { startedAt: start }, 10)], summaries: [head('RUNNING', true)] },
    { observations: observations.map((o) => ({ canaryId: id, observation: o })) },
    { events: [draft('canary.decided', decision, 100_000)], summaries: [head(state, true)] },
    ...Array.from({ length: calls }, (_, attempt) => ({ events: hookCall(draft, action, attempt + 1) })),
    ...(changes
      ? [
          {
            events: [draft('gate.changed', gate, 102_000, `gate:${toGate}`)],
            summaries: [{ ...head('held', false), subject: `gate:${toGate}`, type: 'gate' as const }],
          },
        ]
      : []),
    {
      events: [draft('canary.acted', { action, ok: true, failed: null, hooks: 1 }, 103_000)],
      summaries: [head(state, false)],
    },
  ];
  return { id, units };
}

function hookCall(
  draft: (kind: EventDraft['kind'], data: unknown, after: number) => EventDraft,
  action: string,
  attempt: number,
) {
  const call = { action, hook: 'deploy', index: 0, attempt };
  return [
    draft('hook.intended', { ...call, key: `key-${attempt}` }, 101_000),
    draft('hook.finished', { ...call, ok: true, detail: 'HTTP 200 in 35 ms', durationMs: 35 }, 101_035),
  ];
}

function observation(start: number, tick: number, bad: boolean): Observation {
  const t = start + tick * 5000;
  const errors = { state: 'ok', bad: bad ? 30 : 1, total: 400 } as const;
  return { v: 1, tick, t, from: t - 5000, canary: { errors } } as Observation;
}

function sha256(...parts: string[]): string {
  const digest = createHash('sha256');
  for (const part of parts) digest.update(part);
  return digest.digest('hex');
}

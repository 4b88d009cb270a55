import type { Clock } from '../clock.js';
import { timestamp } from '../clock.js';
import { LukhasError } from '../errors.js';
import type { HookCall, HooksConfig } from '../gates/index.js';
import { type GateLease, gateHistory, longestMs, runHooks, setGate, takeGateLease } from '../gates/index.js';
import type { EventDraft, HookAction, Ledger } from '../ledger/index.js';
import { asStored, keepLease } from '../ledger/index.js';
import { applyEvent, approvalRule, type Canary, canarySummary } from '../readings/index.js';
import { lapseOf } from './approvals.js';
import { loadCanary, provenEvidence } from './load.js';

export interface ActContext {
  ledger: Ledger;
  clock: Clock;
  holder: string;
  hooks: HooksConfig;
  env: NodeJS.ProcessEnv;
  signal?: AbortSignal;
  /** Told of a rollback that is carried out although the log is damaged. */
  onDamage?: (canaryId: string, error: LukhasError) => void;
  /** Throws where nothing may be promoted in this log; asked under the leases, right before promote hooks are called. */
  beforePromoting?: () => Promise<void>;
}

/**
 * Carries a decision out: the hooks in order, then, for a promotion, the gate's new holder. Everything is repeatable:
 * a hook that has finished is not called again, one that was begun and not finished is called again with the same key.
 * One canary or promotion at a time acts on a gate. Approvals that the policy wants are asked for again first: what
 * lapsed since they were given is not acted on. Entries, observations and the gate are proved before a promotion.
 * @returns when to try again, ms since the epoch, while another acts on the gate; null when nothing is left to be done
 * @throws LukhasError LEDGER_CORRUPT when what a promotion stands on is not as it was recorded, and what
 *   `beforePromoting` throws: no hook is called then
 */
export async function act(context: ActContext, decided: Canary): Promise<number | null> {
  const { ledger, clock, hooks } = context;
  const { id, toGate: gate, action } = decided;
  if (action.kind === null) return null;
  const ttlMs = longestMs(hooks[action.kind]);
  const turn = await takeGateLease(context, { id, gate, ttlMs });
  if (typeof turn === 'number') return turn;
  try {
    await keepLease(ledger, id, context.holder, clock, ttlMs);
    // Read under the leases: others may have acted meanwhile.
    const canary = await toActOn(context, decided);
    if (canary.action.state === 'pending') await carryOut(context, canary, action.kind, turn);
    return null;
  } finally {
    await ledger.releaseLease(turn.lease, turn.holder);
  }
}

/**
 * A promotion stands on nothing that is not proved. A rollback is the safe direction: where the log is damaged, what this
 * driver knows of it is carried out, and the damage is told.
 */
async function toActOn({ ledger, onDamage }: ActContext, decided: Canary): Promise<Canary> {
  const { id, action } = decided;
  try {
    return await provenEvidence(ledger, id);
  } catch (error) {
    if (action.kind !== 'rollback' || !(error instanceof LukhasError) || error.code !== 'LEDGER_CORRUPT') throw error;
    const message = `${error.message.replace(/\.$/, '')}; the rollback of ${id} continues anyway`;
    onDamage?.(id, new LukhasError(error.code, message, { suggestions: error.suggestions, cause: error }));
    return decided;
  }
}

async function carryOut(context: ActContext, canary: Canary, action: HookAction, turn: GateLease): Promise<void> {
  const { ledger, clock, env, holder, signal } = context;
  const { id, toGate: gate, modelId } = canary;
  const hooks = context.hooks[action];
  if (action === 'promote') await context.beforePromoting?.();
  const lapse = action === 'promote' ? await lapsed(context, canary) : null;
  if (lapse !== null) return record(context, canary, turn, lapse);
  const anew = action === 'promote' ? await retryEpochOf(ledger, canary) : null;
  const result = await runHooks({
    ledger,
    hooks,
    action,
    call: callOf(canary, action),
    canaryId: id,
    clock,
    env,
    holder,
    turn,
    ...(anew ? { retryEpoch: anew } : {}),
    ...(signal ? { signal } : {}),
  });
  if (result.ok && action === 'promote') {
    const by = canary.consent.breakGlass?.by ?? canary.ended?.by ?? { who: 'lukhas', how: 'lukhas' as const };
    const [first] = await ledger.events({ subject: id, limit: 1 });
    const since = first?.seq ?? -1;
    await setGate(ledger, { gate, modelId, canaryId: id, since, by, ts: timestamp(clock.now()), holder, turn });
  }
  const current = await loadCanary(ledger, id);
  const data = { action, ok: result.ok, failed: result.failed, hooks: hooks.length };
  return record(context, current, turn, { kind: 'canary.acted', subject: id, ts: timestamp(clock.now()), data });
}

/** Approvals have to hold until the gate is the canary's own, also once all hooks have been called. */
async function lapsed({ ledger, clock }: ActContext, canary: Canary): Promise<EventDraft | null> {
  if (canary.consent.breakGlass !== null || approvalRule(canary) === null) return null;
  const calls = await ledger.events({ subject: canary.id, kinds: ['hook.intended'], limit: 1 });
  const now = clock.now();
  const data = await lapseOf(ledger, canary, now, calls.length > 0);
  return data && { kind: 'canary.lapsed', subject: canary.id, ts: timestamp(now), data };
}

/**
 * Where another model has entered the gate after hooks were called, as between a failure and its retry, or a crash and the
 * next driver, what they did is undone. Null when none has; a gate that the canary has entered itself is not taken back.
 */
async function retryEpochOf(
  ledger: Ledger,
  { id, toGate, modelId }: Canary,
): Promise<{ seq: number; key: string } | null> {
  const [first] = await ledger.events({ subject: id, kinds: ['hook.intended'], limit: 1 });
  if (first === undefined) return null;
  const changes = await gateHistory(ledger, toGate, { from: first.seq });
  const others = changes.filter((change) => change.modelId !== modelId);
  const last = others.at(-1);
  if (last === undefined || changes.some(({ canaryId }) => canaryId === id)) return null;
  return { seq: last.seq, key: `${id}/${others.length + 1}` };
}

async function record(
  { ledger, holder }: ActContext,
  current: Canary,
  turn: GateLease,
  event: EventDraft,
): Promise<void> {
  const next = applyEvent(current, asStored(event, current.lastSeq + 1));
  await ledger.commit({
    events: [event],
    summaries: [canarySummary(next)],
    expect: [turn, { lease: current.id, holder }, { subject: current.id, lastSeq: current.lastSeq }],
  });
}

function callOf(canary: Canary, action: HookAction): Omit<HookCall, 'action' | 'key' | 'canaryId' | 'attempt'> {
  const forced = canary.consent.breakGlass !== null;
  const overridden = forced || canary.ended !== null;
  return {
    modelId: canary.modelId,
    fromGate: canary.fromGate,
    toGate: canary.toGate,
    decision: action,
    reason: forced ? 'break_glass' : overridden ? 'override' : (canary.verdict?.reason ?? 'override'),
    certainty: overridden ? 'uncertified' : (canary.verdict?.certainty ?? 'undecided'),
    decidedAt: canary.decidedAt ?? canary.updatedAt,
  };
}

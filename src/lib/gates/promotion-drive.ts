import { type Clock, timestamp } from '../clock.js';
import { LukhasError } from '../errors.js';
import type { EventData, Ledger, StoredEvent } from '../ledger/index.js';
import { asStored, takeLease } from '../ledger/index.js';
import type { CanaryOutcome } from '../readings/index.js';
import { applyPromotionEvent, foldPromotion, type Promotion, promotionSummary } from '../readings/index.js';
import { evidenceOf, provenOutcome } from './evidence.js';
import { takeGateLease } from './gate-lease.js';
import type { HookConfig } from './hook.js';
import type { HookCall } from './hook-kind.js';
import { hookState, longestMs, runHooks } from './hooks.js';
import type { ProvenIndex } from './proven-index.js';
import { gateHistory, setGate } from './registry.js';
import type { GateLease } from './tenure.js';

export interface DriveContext {
  ledger: Ledger;
  /** Of the same ledger. */
  index: ProvenIndex;
  clock: Clock;
  /** The promote hooks, in order. */
  hooks: readonly HookConfig[];
  /** Where programs inherit from and signing secrets are read. */
  env: NodeJS.ProcessEnv;
  /** Who holds leases in this process. */
  holder: string;
  signal: AbortSignal;
  /** Throws where nothing may be promoted in this log; asked right before hooks are called. */
  beforePromoting?: () => Promise<void>;
}

/** How soon a promotion that another drives, or a step that was lost to another, is looked at again. */
const AGAIN_MS = 200;
/** After an error of the database that may pass. */
const RETRY_MS = 1000;

/**
 * Carries a promotion to its end, safe to repeat and to race: one driver at a time has its lease, and that of the gate
 * while it acts; a hook that has finished is not called again, one that was begun and not finished is called again with
 * the same key. Its own entries, and those of the canary and the gate that it stands on, are proved before.
 * @throws the signal's reason when aborted; LukhasError LEDGER_CORRUPT when they are not as they were recorded, and
 *   what `beforePromoting` throws; the promotion stays open
 */
export async function drivePromotion(context: DriveContext, id: string): Promise<Promotion> {
  const { ledger, clock, holder, signal } = context;
  for (;;) {
    signal.throwIfAborted();
    try {
      const promotion = await loadPromotion(ledger, id);
      if (promotion.result !== null) return promotion;
      // The first reading of a long log takes seconds: nobody has to wait for a gate meanwhile.
      await context.index.catchUp();
      // Also kept while it waits for its turn: others see that somebody drives it.
      const again =
        (await takeLease(ledger, id, holder, clock, longestMs(context.hooks))) ?? (await carryOut(context, promotion));
      if (typeof again !== 'number') return again;
      await clock.sleep(Math.min(Math.max(0, again - clock.now()), AGAIN_MS), signal);
    } catch (error) {
      if (!(error instanceof LukhasError) || !(error.code in PASSES)) {
        await ledger.releaseLease(id, holder);
        throw error;
      }
      await clock.sleep(PASSES[error.code as keyof typeof PASSES], signal);
    }
  }
}

/** Errors that may be gone at the next try, and when that is. */
const PASSES = { LEDGER_CONFLICT: AGAIN_MS, LEDGER_BUSY: RETRY_MS } as const;

/** @throws LukhasError NOT_FOUND */
export async function loadPromotion(ledger: Ledger, id: string): Promise<Promotion> {
  return folded(id, await ledger.events({ subject: id }));
}

function folded(id: string, events: readonly StoredEvent[]): Promotion {
  const promotion = foldPromotion(events);
  if (promotion !== null) return promotion;
  throw new LukhasError('NOT_FOUND', `Promotion ${id} not found.`);
}

/** Under the promotion's lease. @returns when to ask for the gate again, when it is not its turn */
async function carryOut(context: DriveContext, { id, gate }: Promotion): Promise<Promotion | number> {
  const { ledger, holder, hooks } = context;
  const turn = await takeGateLease(context, { id, gate, ttlMs: longestMs(hooks) });
  if (typeof turn === 'number') return turn;
  try {
    // Read under the leases: the driver before us may have ended it.
    const promotion = folded(id, await ledger.provenEvents({ subject: id }));
    return promotion.result === null ? await steps(context, promotion, turn) : promotion;
  } finally {
    await ledger.releaseLease(turn.lease, turn.holder);
    await ledger.releaseLease(id, holder);
  }
}

async function steps(context: DriveContext, promotion: Promotion, turn: GateLease): Promise<Promotion> {
  const { ledger, index, clock, hooks, env, holder, signal } = context;
  const { id, gate, modelId, requestedBy: by, requestedSeq: since } = promotion;
  const { canaryId } = promotion;
  const ending = canaryId === null ? null : await provenOutcome(index, canaryId);
  await index.catchUp();
  await index.proveGate(gate, since);
  if (await overtaken(context, promotion))
    return finish(context, id, turn, { ok: false, failed: null, changed: false });
  await context.beforePromoting?.();
  const { ok, failed } = await runHooks({
    ledger,
    hooks,
    action: 'promote',
    canaryId: canaryId ?? '',
    promotionId: id,
    call: callOf(promotion, ending),
    clock,
    env,
    holder,
    turn,
    signal,
  });
  if (!ok) return finish(context, id, turn, { ok, failed, changed: false });
  const ts = timestamp(clock.now());
  await setGate(ledger, { gate, modelId, canaryId: null, by, ts, holder, turn, promotion: { id, since } });
  return finish(context, id, turn, { ok, failed, changed: await hasEntered(ledger, promotion) });
}

/**
 * Whether what the request stood on is gone: another model has entered the gate since, or a newer canary ended without
 * proof. Asked before hooks are called, also after a crash; once all of them have been, the gate has to follow, unless
 * another model's hooks have come after them.
 */
async function overtaken({ ledger, index, hooks }: DriveContext, promotion: Promotion): Promise<boolean> {
  const { id, gate, modelId, requestedSeq } = promotion;
  const changes = await gateHistory(ledger, gate, { from: requestedSeq + 1 });
  if (changes.length > 0) return !changes.some((change) => change.modelId === modelId);
  const calls = await ledger.events({ subject: id, kinds: ['hook.intended', 'hook.finished'] });
  if (calls.length > 0 && hookState(calls, 'promote', hooks).state === 'done') return false;
  const { last } = await evidenceOf(index, modelId, gate);
  return last !== null && last.seq > requestedSeq && !last.proves;
}

/** The promotion's own change of the gate, also one made before a crash. */
async function hasEntered(ledger: Ledger, { gate, modelId, requestedSeq }: Promotion): Promise<boolean> {
  const history = await gateHistory(ledger, gate);
  return history.some((change) => change.seq > requestedSeq && change.modelId === modelId && change.canaryId === null);
}

async function finish(
  context: DriveContext,
  id: string,
  turn: GateLease,
  outcome: Omit<EventData['promotion.finished'], 'hooks'>,
): Promise<Promotion> {
  const { ledger, clock, holder, hooks } = context;
  const current = await loadPromotion(ledger, id);
  const data = { ...outcome, hooks: hooks.length };
  const event = { kind: 'promotion.finished', subject: id, ts: timestamp(clock.now()), data } as const;
  const foreseen = applyPromotionEvent(current, asStored(event, current.lastSeq + 1));
  const [written] = await ledger.commit({
    events: [event],
    summaries: [promotionSummary(foreseen)],
    expect: [turn, { lease: id, holder }, { subject: id, lastSeq: current.lastSeq }],
  });
  return written ? applyPromotionEvent(current, asStored(event, written.seq)) : foreseen;
}

function callOf(
  { modelId, fromGate, gate, createdAt }: Promotion,
  ending: CanaryOutcome | null,
): Omit<HookCall, 'action' | 'key' | 'canaryId' | 'promotionId' | 'attempt'> {
  const { reason, certainty } = ending ?? { reason: 'without_canary', certainty: 'uncertified' };
  return { modelId, fromGate, toGate: gate, decision: 'promote', reason, certainty, decidedAt: createdAt };
}

import type { Clock } from '../clock.js';
import { timestamp } from '../clock.js';
import type { HookCall, HookConfig, HooksConfig } from '../gates/hook.js';
import { runHooks } from '../gates/hooks.js';
import { setGate } from '../gates/registry.js';
import type { HookAction } from '../ledger/events.js';
import type { Ledger } from '../ledger/ledger.js';
import { loadCanary } from './load.js';
import { applyEvent, type Canary, headOf } from './state.js';

export interface ActContext {
  ledger: Ledger;
  clock: Clock;
  holder: string;
  hooks: HooksConfig;
  env: NodeJS.ProcessEnv;
  signal?: AbortSignal;
}

/**
 * Carries a decision out: the hooks in order, then, for a promotion, the gate's new holder. Everything is repeatable:
 * a hook that has finished is not called again, one that was begun and not finished is called again with the same key.
 */
export async function act(context: ActContext, canary: Canary): Promise<Canary> {
  const { ledger, clock, hooks } = context;
  const action = canary.action.kind;
  if (action === null) return canary;
  const configured = hooks[action];
  await ledger.acquireLease(canary.id, context.holder, clock.now(), longestMs(configured));
  const result = await runHooks({
    ledger,
    hooks: configured,
    action,
    call: callOf(canary, action),
    canaryId: canary.id,
    clock,
    env: context.env,
    holder: context.holder,
    ...(context.signal ? { signal: context.signal } : {}),
  });
  if (result.ok && action === 'promote') {
    const by = canary.ended?.by ?? { who: 'lukhas', how: 'lukhas' as const };
    const { toGate: gate, modelId, id: canaryId } = canary;
    await setGate(ledger, { gate, modelId, canaryId, by, ts: timestamp(clock.now()), holder: context.holder });
  }
  const current = await loadCanary(ledger, canary.id);
  const data = { action, ok: result.ok, failed: result.failed, hooks: configured.length };
  const event = { kind: 'canary.acted', subject: canary.id, ts: timestamp(clock.now()), data } as const;
  const next = applyEvent(current, { ...event, seq: current.lastSeq + 1, v: 1 });
  const [written] = await ledger.commit({
    events: [event],
    heads: [headOf(next)],
    expect: [
      { lease: canary.id, holder: context.holder },
      { subject: canary.id, lastSeq: current.lastSeq },
    ],
  });
  return written ? applyEvent(current, written) : next;
}

/** Hooks may take longer than a look: the lease must hold until the last of them has timed out. */
function longestMs(hooks: readonly HookConfig[]): number {
  const seconds = hooks.map((h) =>
    'exec' in h ? h.exec.timeoutSeconds : (h.webhook.timeoutSeconds + 30) * (h.webhook.retries + 1),
  );
  return seconds.reduce((a, b) => a + b, 60) * 1000;
}

function callOf(canary: Canary, action: HookAction): Omit<HookCall, 'action' | 'key' | 'canaryId' | 'attempt'> {
  const overridden = canary.ended !== null;
  return {
    modelId: canary.modelId,
    fromGate: canary.fromGate,
    toGate: canary.toGate,
    decision: action,
    reason: overridden ? 'override' : (canary.verdict?.reason ?? 'override'),
    certainty: overridden ? 'uncertified' : (canary.verdict?.certainty ?? 'undecided'),
    decidedAt: canary.decidedAt ?? canary.updatedAt,
  };
}

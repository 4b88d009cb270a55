import type { HookCall } from '../../../src/lib/gates/hook-kind.js';

export function aCall(changes: Partial<HookCall> = {}): HookCall {
  return {
    action: 'promote',
    key: 'can_01',
    canaryId: 'can_01',
    modelId: 'fraud@v7',
    fromGate: 'stage',
    toGate: 'production',
    decision: 'promote',
    reason: 'certified_at_end',
    certainty: 'certified',
    decidedAt: '2026-03-01T12:00:00.000Z',
    attempt: 1,
    ...changes,
  };
}

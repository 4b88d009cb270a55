/**
 * The hands: who holds which gate, promotions on evidence that is there, and the hooks that are called for both.
 */
export { takeGateLease } from './gate-lease.js';
export { checkSecrets, type HooksConfig, placedHooks, secretNames, whyNotCallable } from './hook.js';
export type { HookCall } from './hook-kind.js';
export { hooksSchema } from './hook-schema.js';
export { longestMs, runHooks } from './hooks.js';
export { gatesWithPromotions, promotionOfChange } from './promotion-change.js';
export { type PromotionResult, Promotions } from './promotions.js';
export { gateHistory, listGates, proveGate, setGate } from './registry.js';
export type { GateLease } from './tenure.js';

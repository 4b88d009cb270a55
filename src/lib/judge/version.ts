import type { Policy } from './policy.js';

/** Raised when the same observations could be judged differently; the log records which judge decided. */
export const JUDGE_VERSION = 3;
export type JudgeVersion = 1 | 2 | 3;

/** Keys that came with judge 2. Each is filled in for a policy that is parsed now, and absent in one recorded before. */
const SINCE_2 = [
  'warmupSeconds',
  'maxRestarts',
  'maxFailures',
  'maxMissing',
  'reportOnly',
] as const satisfies readonly (keyof Policy)[];

/** Those that came with judge 3. */
const SINCE_3 = ['onNeverAnswered'] as const satisfies readonly (keyof Policy)[];

/** The judge that a policy was made for. What is absent in a policy is off, so an old one is judged as it was, for ever. */
export function judgeVersionOf(policy: Policy): JudgeVersion {
  if (SINCE_3.some((key) => policy[key] !== undefined)) return 3;
  if (policy.targets.max_unavailable !== undefined) return 2;
  return SINCE_2.some((key) => policy[key] !== undefined) ? 2 : 1;
}

/** The policy without the keys that came after a judge, but for those in `kept`; for changing one that was recorded before them. */
export function withoutLaterKeys(policy: Policy, kept: ReadonlySet<string>, judge: JudgeVersion = 1): Policy {
  const since = judge === 1 ? [...SINCE_2, ...SINCE_3] : judge === 2 ? SINCE_3 : [];
  const later: ReadonlySet<string> = new Set(since.filter((key) => !kept.has(key)));
  const rest = Object.fromEntries(Object.entries(policy).filter(([key]) => !later.has(key))) as unknown as Policy;
  if (judge > 1 || kept.has('targets') || kept.has('targets.max_unavailable')) return rest;
  const { max_unavailable: _, ...targets } = policy.targets;
  return { ...rest, targets };
}

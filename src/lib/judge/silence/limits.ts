import type { Policy } from '../policy.js';
import { judgeVersionOf } from '../version.js';
import type { Silence } from './fold.js';

/** A canary is rolled back for silence of no fewer looks, whatever share of a short window they are. */
const LEAST_SILENT_LOOKS = 3;
/** So many times the restarts that a promotion bears are a crash loop. */
const CRASH_LOOP = 3;
/** One look or scrape that fails is chance. */
const LEAST_FAILURES = 2;

/** Largest number of restarts with which it may be promoted: each place but one may begin anew once more, as in a rolling deploy. */
export function allowedRestarts(s: Silence, maxRestarts: number): number {
  return maxRestarts + s.places - 1;
}

/**
 * Whether more looks went unanswered than the policy bears in `planned` looks; one look alone, or one scrape however many looks
 * it lasts, is chance.
 */
export function isBeyond(s: Silence, down: number, policy: Policy, planned: number): boolean {
  const { max_unavailable: limit } = policy.targets;
  if (s.looks === 0 || limit === undefined) return false;
  const places = s.expected / s.looks;
  const beyond = down > limit * Math.max(s.expected, planned * places) + 1e-9;
  const failures = judgeVersionOf(policy) > 2 ? s.failures : LEAST_FAILURES;
  return beyond && (limit === 0 || (down > places && failures >= LEAST_FAILURES));
}

/** What silence forbids a promotion; null: nothing. Known restarts come first: they explain what counters cannot. */
export function forbids(s: Silence, policy: Policy): 'unavailable' | 'restarts' | null {
  if (!isReportOnly(policy) && isBeyond(s, s.down, policy, 0)) return 'unavailable';
  const most = policy.maxRestarts;
  return most !== undefined && s.canary.count > allowedRestarts(s, most) ? 'restarts' : null;
}

/** When the window began and ends, ms since the epoch, and how many looks are planned in it. */
export interface Window {
  begins: number;
  ends: number;
  planned: number;
}

/**
 * What of the canary's silence rolls it back: it does not answer while its baseline does, for longer than the policy bears
 * in the whole window, or for `noDataSeconds`; or it begins anew over and over while its baseline does not.
 */
export function rollsBack(s: Silence, policy: Policy, window: Window, now: number): 'unavailable' | 'restarts' | null {
  const { max_unavailable: limit } = policy.targets;
  const { planned } = window;
  const decides = limit !== undefined && isDeciding(policy);
  const waited = now >= Math.min(window.ends, window.begins + policy.noDataSeconds * 1000);
  if (decides && waited && neverAnswered(s, policy)) return 'unavailable';
  if (decides && s.silentNow) {
    const long = s.aloneSince !== null && (now - s.aloneSince) / 1000 >= policy.noDataSeconds;
    const lasting = s.looks > 0 && s.alone >= (LEAST_SILENT_LOOKS * s.expected) / s.looks;
    if (long || (lasting && isBeyond(s, s.alone, policy, planned))) return 'unavailable';
  }
  const most = policy.maxRestarts;
  if (most === undefined || !s.canary.known || !s.baselineAnswered) return null;
  const allowed = Math.max(1, allowedRestarts(s, most));
  return s.canary.count >= CRASH_LOOP * allowed && s.baseline.count * CRASH_LOOP <= s.canary.count ? 'restarts' : null;
}

/**
 * Whether the canary has not answered once, while its baseline answers and has answered half of the looks at least. Where the
 * baseline does not answer either, the fault may be the network's, or that of who asks.
 */
export function neverAnswered(s: Silence, { onNeverAnswered }: Policy): boolean {
  const { looks, alone, now } = s.awaited;
  return onNeverAnswered === 'rollback' && now && alone >= LEAST_FAILURES && 2 * alone >= looks;
}

/**
 * Whether the canary does not answer while its baseline does, for less than the policy bears: one of a few scrapes may have been
 * lost, and the next ones tell. It is rolled back or answers before `noDataSeconds` have passed.
 */
export function isAlone(s: Silence, policy: Policy): boolean {
  return judgeVersionOf(policy) > 2 && isDeciding(policy) && s.aloneSince !== null && s.downNow;
}

function isDeciding(policy: Policy): boolean {
  const { max_unavailable: limit = 1 } = policy.targets;
  return limit < 1 && !isReportOnly(policy);
}

export function isReportOnly({ reportOnly = [] }: Policy): boolean {
  return reportOnly.includes('availability');
}

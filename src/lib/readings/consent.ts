import { LukhasError } from '../errors.js';
import { durationSeconds } from '../input/index.js';
import type { ApprovalRule, Policy } from '../judge/index.js';
import type { Actor, EventData } from '../ledger/index.js';
import type { EventOf } from './meaning.js';

/** What a person said, and when (RFC 3339 UTC). */
export interface PersonStatement {
  by: Actor;
  reason: string;
  at: string;
}

/** What people have said of a promotion that its policy wants approved. */
export interface Consent {
  /** All that were given, those that have lapsed too, in order. */
  approvals: (PersonStatement & { digest: string; gate: EventData['canary.approved']['gate'] })[];
  rejected: PersonStatement | null;
  /** Why complete approvals were not acted on, the newest time. */
  lapsed: (EventData['canary.lapsed'] & { at: string }) | null;
  breakGlass: (PersonStatement & { reviewDueAt: number; review: PersonStatement | null }) | null;
}

export const NO_CONSENT: Consent = { approvals: [], rejected: null, lapsed: null, breakGlass: null };

/**
 * One person, as far as the log can tell: the account, key or client. What sudo was called by and the account itself are
 * the same one.
 */
export function principal({ who, how }: Actor): string {
  return `${how}:${how === 'os-user' ? who.replace(/ \(sudo\)$/, '') : who}`;
}

/** The rule that a promotion of this canary has to satisfy; null: nobody is asked. A dry run promotes nothing. */
export function approvalRule({ policy, dryRun }: { policy: Policy; dryRun: boolean }): ApprovalRule | null {
  return dryRun ? null : (policy.approvals ?? null);
}

/** How many different people have approved exactly this. */
export function countApprovals({ approvals }: Consent, digest: string): number {
  return new Set(approvals.filter((a) => a.digest === digest).map(({ by }) => principal(by))).size;
}

/** When approvals of a decision made at `decidedAt` (RFC 3339) run out, ms since the epoch. */
export function approvalsEndAt(rule: ApprovalRule, decidedAt: string): number {
  return Date.parse(decidedAt) + durationSeconds(rule.expiresAfter) * 1000;
}

type ApprovalEvent = EventOf<
  'canary.approved' | 'canary.rejected' | 'canary.lapsed' | 'canary.forced' | 'canary.reviewed'
>;

/** Folds in what people say of a promotion. @throws LukhasError LEDGER_CORRUPT */
export function consentAfter(consent: Consent, rule: ApprovalRule | null, event: ApprovalEvent): Consent {
  const at = event.ts;
  switch (event.kind) {
    case 'canary.approved':
      return approved(consent, rule, event);
    case 'canary.rejected':
      return { ...consent, rejected: { ...event.data, at } };
    case 'canary.lapsed':
      return { ...consent, lapsed: { ...event.data, at } };
    case 'canary.forced':
      return { ...consent, breakGlass: { ...event.data, at, review: null } };
    case 'canary.reviewed': {
      const { breakGlass } = consent;
      return { ...consent, breakGlass: breakGlass && { ...breakGlass, review: { ...event.data, at } } };
    }
  }
}

/** The count that an approval states is counted again: a log that states another is not believed. */
function approved(
  before: Consent,
  rule: ApprovalRule | null,
  { seq, subject, ts, data }: EventOf<'canary.approved'>,
): Consent {
  const { by, reason, digest, gate, count, required } = data;
  const consent = { ...before, approvals: [...before.approvals, { by, reason, at: ts, digest, gate }] };
  const counted = countApprovals(consent, digest);
  if (counted === count && required === rule?.required) return consent;
  throw new LukhasError(
    'LEDGER_CORRUPT',
    `Log entry ${seq} (canary.approved) states ${count} of ${required} approvals of ${subject}: the log has ${counted} of ${rule?.required ?? 0}.`,
  );
}

import type { ApprovalEligibility } from '../lib/canary/index.js';
import { timestamp } from '../lib/clock.js';
import { moment, plural, seconds } from '../lib/explain/index.js';
import type { Canary } from '../lib/readings/index.js';
import { approvalRule, approvalsEndAt } from '../lib/readings/index.js';

/** Approvals, rejection and break-glass of a promotion whose policy requires approvals; one line each, not indented. */
export function approvalLines(canary: Canary): string[] {
  const { rejected, breakGlass } = canary.consent;
  return [
    ...approvals(canary),
    ...(rejected ? [`rejected by ${rejected.by.who} (${rejected.by.how}) at ${rejected.at}: ${rejected.reason}`] : []),
    ...(breakGlass ? breakGlassLines(breakGlass) : []),
  ];
}

function approvals({ consent, action, decidedAt, ...canary }: Canary): string[] {
  const rule = approvalRule(canary);
  const newest = consent.approvals.at(-1);
  const given = consent.approvals.map(
    ({ by, at, reason, digest }) =>
      `approved by ${by.who} (${by.how}) at ${at}${digest === newest?.digest ? '' : ' (lapsed since)'}: ${reason}`,
  );
  if (rule === null || decidedAt === null || action.state !== 'awaiting approval') return given;
  return [
    ...given,
    `waiting for approval: ${plural(rule.required, 'approval')} required by ${timestamp(approvalsEndAt(rule, decidedAt))}; until then nothing changes`,
  ];
}

function breakGlassLines({
  by,
  at,
  reason,
  reviewDueAt,
  review,
}: NonNullable<Canary['consent']['breakGlass']>): string[] {
  return [
    `BREAK-GLASS by ${by.who} (${by.how}) at ${at}: ${reason}`,
    review
      ? `reviewed by ${review.by.who} (${review.by.how}) at ${review.at}: ${review.reason}`
      : `NOT REVIEWED: a review by another person is due by ${moment(reviewDueAt)}`,
  ];
}

/** What an approval given now would count for; lines that are not indented. */
export function eligibilityLines(outlook: ApprovalEligibility): string[] {
  const { required, given, digest, holder, expired } = outlook;
  if (expired) return ['approvals expired: start a new canary, it takes new evidence'];
  return [
    `${given} of ${required} approvals given for this evidence, while ${holder === null ? 'no model' : holder} holds the gate`,
    `digest of the evidence: ${digest}`,
    evidenceAge(outlook),
  ];
}

/** How old the evidence is that an approval stands on. */
export function evidenceAge({ checkedAt, uncheckedSeconds }: ApprovalEligibility): string {
  return `last checked ${seconds(uncheckedSeconds)} ago, at ${checkedAt}: nothing has been checked since, so look at the canary before you approve`;
}

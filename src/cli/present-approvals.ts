import type { ApprovalEligibility } from '../lib/canary/index.js';
import { timestamp } from '../lib/clock.js';
import { moment, plural } from '../lib/explain/index.js';
import type { Canary } from '../lib/readings/index.js';
import { approvalRule, approvalsEndAt } from '../lib/readings/index.js';

/** Approvals, rejections and break-glass of a canary, and what is still awaited; one line each. */
export function approvalLines(canary: Canary): string[] {
  const { rejected, breakGlass } = canary.consent;
  return [
    ...approvals(canary),
    ...(rejected
      ? [`  rejected  by ${rejected.by.who} (${rejected.by.how}) at ${rejected.at}: ${rejected.reason}`]
      : []),
    ...(breakGlass ? brokenGlass(canary.id, breakGlass) : []),
  ];
}

function approvals({ id, consent, action, decidedAt, ...canary }: Canary): string[] {
  const rule = approvalRule(canary);
  const newest = consent.approvals.at(-1);
  const given = consent.approvals.map(
    ({ by, at, reason, digest }) =>
      `  approved  by ${by.who} (${by.how}) at ${at}${digest === newest?.digest ? '' : ' (since lapsed)'}: ${reason}`,
  );
  if (rule === null || decidedAt === null || action.state !== 'awaiting approval') return given;
  return [
    ...given,
    `  waiting   for ${plural(rule.required, 'approval')} until ${timestamp(approvalsEndAt(rule, decidedAt))}; no hook is called without them`,
    `  next      lukhas canary approve ${id} --reason "..."   or: lukhas canary reject ${id} --reason "..."`,
  ];
}

function brokenGlass(
  id: string,
  { by, at, reason, reviewDueAt, review }: NonNullable<Canary['consent']['breakGlass']>,
) {
  return [
    `  BREAK-GLASS by ${by.who} (${by.how}) at ${at}: ${reason}`,
    review
      ? `  reviewed  by ${review.by.who} (${review.by.how}) at ${review.at}: ${review.reason}`
      : `  next      another person must review it by ${moment(reviewDueAt)}: lukhas canary review ${id} --reason "..."`,
  ];
}

/** What an approval would cover now. */
export function eligibilityLines({ required, given, digest, holder, expired }: ApprovalEligibility): string[] {
  if (expired) return ['  approvals expired: only a new canary can provide new evidence'];
  return [
    `  approvals ${given} of ${required}, for this evidence and while ${holder === null ? 'no model' : holder} holds the gate`,
    `  digest    ${digest}`,
  ];
}

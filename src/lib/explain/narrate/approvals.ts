import { durationSeconds } from '../../input/index.js';
import type { StoredEvent } from '../../ledger/index.js';
import type { Facts, GateEntry } from '../../readings/index.js';
import { clip, moment, plural, timeOn } from '../words.js';
import { person } from './request.js';

/** Who approved, rejected or forced a promotion whose policy requires approvals, break-glass first; empty without such a policy. */
export function approvalSentences(facts: Facts, gate: readonly GateEntry[]): string[] {
  const { requested, decided, overridden } = facts;
  const { policy, dryRun } = requested.data;
  const rule = policy.approvals;
  const asked = overridden ?? (decided?.data.verdict.decision === 'promote' ? decided : null);
  if (rule === undefined || dryRun || (asked === null && facts.forced === null)) return [];
  const but = rule.not === 'requester' ? ', not counting the requester' : '';
  const until = asked === null ? '' : `, by ${moment(endOf(facts, asked))}`;
  return [
    ...glass(facts),
    `The policy requires ${plural(rule.required, 'approval')}${but}${until}.`,
    ...approvalEvents(facts),
    ...outdated(facts, gate.at(-1)),
    ...(facts.awaits
      ? ['It is waiting for approval: until then no hook is called and no gate changes.', ...unchecked(facts)]
      : []),
  ];
}

/** Nobody looks while a promotion waits: an approver has to know that what came since is not in the evidence. */
function unchecked({ decided, requested }: Facts): string[] {
  if (!decided) return [];
  const day = Date.parse(requested.ts);
  return [
    `The evidence ends at ${timeOn(Date.parse(decided.ts), day)}: the canary has not been checked since, so look at it before you approve.`,
  ];
}

function glass({ forced, reviewed, requested }: Facts): string[] {
  if (forced === null) return [];
  const { by, reason, reviewDueAt } = forced.data;
  const day = Date.parse(requested.ts);
  const review = reviewed
    ? `${person(reviewed.data.by)} reviewed it at ${timeOn(Date.parse(reviewed.ts), day)}: "${clip(reviewed.data.reason)}".`
    : `NOT REVIEWED: another person must review it by ${moment(reviewDueAt)}.`;
  return [
    `BREAK-GLASS: at ${timeOn(Date.parse(forced.ts), day)} ${person(by)} promoted it without the approvals that the policy requires: "${clip(reason)}".`,
    review,
  ];
}

function approvalEvents({ approvals, lapses, rejected, requested }: Facts): string[] {
  const day = Date.parse(requested.ts);
  const newest = approvals.at(-1)?.data.digest;
  const lines = [
    ...approvals.map(({ seq, ts, data }) => ({
      seq,
      text: `At ${timeOn(Date.parse(ts), day)} ${person(data.by)} approved it (${data.count} of ${data.required}${data.digest === newest ? '' : '; lapsed when the gate changed'}): "${clip(data.reason)}".`,
    })),
    ...lapses.map(({ seq, ts, data }) => ({ seq, text: `At ${timeOn(Date.parse(ts), day)} ${lapse(data)}.` })),
    ...(rejected
      ? [
          {
            seq: rejected.seq,
            text: `At ${timeOn(Date.parse(rejected.ts), day)} ${person(rejected.data.by)} rejected it: "${clip(rejected.data.reason)}".`,
          },
        ]
      : []),
  ];
  return lines.sort((a, b) => a.seq - b.seq).map(({ text }) => text);
}

/** While the promotion waits only the gate's own entries record that the gate changed. */
function outdated({ awaits, approvals, requested }: Facts, newest: GateEntry | undefined): string[] {
  const approval = approvals.at(-1);
  if (!awaits || approval === undefined || newest === undefined || newest.seq <= approval.data.gate.seq) return [];
  const since = timeOn(Date.parse(newest.ts), Date.parse(requested.ts));
  return [`Since ${since} ${clip(newest.modelId)} holds ${clip(newest.gate)}: earlier approvals no longer count.`];
}

function lapse({ cause, holder, begun }: Extract<StoredEvent, { kind: 'canary.lapsed' }>['data']): string {
  if (cause === 'time') return 'the approvals lapsed: they expired before the promotion was carried out';
  const held = holder === null ? 'the gate changed' : `${clip(holder)} entered the gate`;
  return `the approvals lapsed: ${held} before the promotion was carried out${begun ? ', after hooks had been called' : ''}`;
}

/** What to do about approvals; null: nothing. */
export function approvalSteps({ id, awaits, rejected, lapses, forced, reviewed, state }: Facts): string[] | null {
  if (awaits)
    return [
      `To approve it: lukhas canary approve ${id} --reason "..."`,
      `To reject it: lukhas canary reject ${id} --reason "..."`,
      'If it expires first, start a new canary: a new approval needs new evidence.',
    ];
  if (forced !== null)
    return reviewed ? null : [`Have another person review it: lukhas canary review ${id} --reason "..."`];
  if (rejected !== null) return ['Nothing to do. To try again, start a new canary.'];
  const last = lapses.at(-1);
  if (state !== 'BLOCKED' || last === undefined) return null;
  return [
    last.data.begun
      ? 'Check what the hooks that ran have done, then start a new canary.'
      : 'To try again, start a new canary.',
  ];
}

/** The title's part about approvals; null: they had no effect on it. */
export function approvalOutcome(facts: Facts, way: string): string | null {
  const { awaits, rejected, lapses, forced, reviewed, state } = facts;
  if (awaits) return `is waiting for approval on its way ${way}`;
  if (state === 'PROMOTED' && forced)
    return `was promoted ${way} by break-glass${reviewed ? '' : ', NOT REVIEWED YET'}`;
  if (state !== 'BLOCKED') return null;
  if (rejected !== null) return `was not promoted ${way}: it was rejected`;
  return lapses.length > 0 ? `was not promoted ${way}: the approvals lapsed` : null;
}

function endOf({ requested }: Facts, asked: StoredEvent): number {
  return Date.parse(asked.ts) + durationSeconds(requested.data.policy.approvals?.expiresAfter ?? '') * 1000;
}

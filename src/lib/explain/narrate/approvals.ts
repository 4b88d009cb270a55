import { durationSeconds } from '../../input/index.js';
import type { StoredEvent } from '../../ledger/index.js';
import type { Facts, GateEntry } from '../../readings/index.js';
import { clip, moment, plural, timeOn } from '../words.js';
import { person } from './request.js';

/** What people said of a promotion that its policy wants approved, break-glass first; empty where nobody is asked. */
export function approvalSentences(facts: Facts, gate: readonly GateEntry[]): string[] {
  const { requested, decided, overridden } = facts;
  const { policy, dryRun } = requested.data;
  const rule = policy.approvals;
  const asked = overridden ?? (decided?.data.verdict.decision === 'promote' ? decided : null);
  if (rule === undefined || dryRun || (asked === null && facts.forced === null)) return [];
  const but = rule.not === 'requester' ? ' other than whoever asked for it' : '';
  const until = asked === null ? '' : `, until ${moment(endOf(facts, asked))}`;
  return [
    ...glass(facts),
    `The policy wants ${plural(rule.required, 'person', 'people')}${but} to approve it${until}.`,
    ...words(facts),
    ...overtaken(facts, gate.at(-1)),
    ...(facts.awaits ? ['It waits for that: no hook is called and no gate changes before.'] : []),
  ];
}

function glass({ forced, reviewed, requested }: Facts): string[] {
  if (forced === null) return [];
  const { by, reason, reviewDueAt } = forced.data;
  const day = Date.parse(requested.ts);
  const review = reviewed
    ? `${person(reviewed.data.by)} reviewed that at ${timeOn(Date.parse(reviewed.ts), day)}: "${clip(reviewed.data.reason)}".`
    : `NOT REVIEWED: another person has to review that by ${moment(reviewDueAt)}.`;
  return [
    `BREAK-GLASS: at ${timeOn(Date.parse(forced.ts), day)} ${person(by)} promoted it without the approvals that the policy wants: "${clip(reason)}".`,
    review,
  ];
}

function words({ approvals, lapses, rejected, requested }: Facts): string[] {
  const day = Date.parse(requested.ts);
  const newest = approvals.at(-1)?.data.digest;
  const said = [
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
  return said.sort((a, b) => a.seq - b.seq).map(({ text }) => text);
}

/** While it waits nobody records that a gate changed: the gate's own entries say so. */
function overtaken({ awaits, approvals, requested }: Facts, newest: GateEntry | undefined): string[] {
  const approval = approvals.at(-1);
  if (!awaits || approval === undefined || newest === undefined || newest.seq <= approval.data.gate.seq) return [];
  const since = timeOn(Date.parse(newest.ts), Date.parse(requested.ts));
  return [
    `Since ${since} ${clip(newest.gate)} is held by ${clip(newest.modelId)}: what was approved before does not count any more.`,
  ];
}

function lapse({ cause, holder, begun }: Extract<StoredEvent, { kind: 'canary.lapsed' }>['data']): string {
  if (cause === 'time') return 'the approvals lapsed: the time had run out before it was carried out';
  const held = holder === null ? 'the gate had changed' : `the gate was held by ${clip(holder)}`;
  return `the approvals lapsed: ${held} before it was carried out${begun ? ', though hooks had been called' : ''}`;
}

/** What to do where people are asked; null: nothing of that kind. */
export function approvalSteps({ id, awaits, rejected, lapses, forced, reviewed, state }: Facts): string[] | null {
  if (awaits)
    return [
      `Look at it, then: lukhas canary approve ${id} --reason "..."`,
      `To refuse it: lukhas canary reject ${id} --reason "..."`,
      'When the time has run out, only a new canary brings new evidence.',
    ];
  if (forced !== null)
    return reviewed ? null : [`Review it, as another person: lukhas canary review ${id} --reason "..."`];
  if (rejected !== null) return ['Nothing is left to be done; to try again, start a new canary.'];
  const last = lapses.at(-1);
  if (state !== 'BLOCKED' || last === undefined) return null;
  return [
    last.data.begun
      ? 'See to what the hooks that were called did, then start a new canary.'
      : 'To try again, start a new canary.',
  ];
}

/** How its title says what people have it wait for, or did to it; null: nothing. */
export function approvalOutcome(facts: Facts, way: string): string | null {
  const { awaits, rejected, lapses, forced, reviewed, state } = facts;
  if (awaits) return `may pass ${way} when people have approved it: nothing is done before`;
  if (state === 'PROMOTED' && forced)
    return `was promoted ${way} by break-glass${reviewed ? '' : ', NOT REVIEWED YET'}`;
  if (state !== 'BLOCKED') return null;
  if (rejected !== null) return `was not promoted ${way}: a person rejected it`;
  return lapses.length > 0 ? `was not promoted ${way}: the approvals lapsed` : null;
}

function endOf({ requested }: Facts, asked: StoredEvent): number {
  return Date.parse(asked.ts) + durationSeconds(requested.data.policy.approvals?.expiresAfter ?? '') * 1000;
}

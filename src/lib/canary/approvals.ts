import { createHash } from 'node:crypto';
import { type Clock, timestamp } from '../clock.js';
import { LukhasError } from '../errors.js';
import { gateHistory } from '../gates/index.js';
import type { Actor, EventData, Ledger } from '../ledger/index.js';
import { canonicalJson } from '../ledger/tree/index.js';
import {
  approvalRule,
  approvalsEndAt,
  assertAllowed,
  type Canary,
  countApprovals,
  principal,
} from '../readings/index.js';
import { appendAllowed, reasonOf, type Wanted } from './append.js';
import { loadCanary, promotable, provenCanary } from './load.js';

type Gate = EventData['canary.approved']['gate'];

/** What an approver would approve now, and how far it has come. */
export interface ApprovalEligibility {
  required: number;
  /** Valid approvals by different people. */
  given: number;
  digest: string;
  /** Holder of the gate that it wants to enter; null: no model has held it. */
  holder: string | null;
  /** RFC 3339 UTC. */
  expiresAt: string;
  expired: boolean;
  /** Nothing is looked at while a promotion waits: when the last check was, RFC 3339 UTC, and how long ago. */
  checkedAt: string;
  uncheckedSeconds: number;
}

/** A break-glass promotion has to be reviewed within this time. */
const REVIEW_MS = 24 * 3_600_000;
/** So many that a held key or a keyboard's row does not do, in any script. */
const BREAK_GLASS_REASON = { characters: 20, different: 8 } as const;
/** Characters of a digest that somebody could not hit by chance. */
const DIGEST_LEAST = 8;

/**
 * What people say of promotions that their policy wants approved. Acting on it is the driver's. Nothing is recorded on
 * entries that are not as they were recorded themselves: each verb throws LEDGER_CORRUPT then.
 */
export class Approvals {
  /** @param beforePromoting throws where nothing may be promoted in this log: no approval of it is recorded then */
  constructor(
    private readonly ledger: Ledger,
    private readonly clock: Clock,
    private readonly beforePromoting?: () => Promise<void>,
  ) {}

  /** How a canary that awaits approval stands; null when it awaits none. @throws LukhasError NOT_FOUND */
  async outlook(id: string): Promise<ApprovalEligibility | null> {
    const canary = await loadCanary(this.ledger, id);
    const rule = approvalRule(canary);
    if (rule === null || canary.action.state !== 'awaiting approval') return null;
    const gate = await gateNow(this.ledger, canary.toGate);
    const digest = approvalDigest(canary, gate);
    const end = endOf(canary);
    const checkedAt = lastCheckOf(canary);
    return {
      required: rule.required,
      given: countApprovals(canary.consent, digest),
      digest,
      holder: gate.holder,
      expiresAt: timestamp(end),
      expired: this.clock.now() >= end,
      checkedAt: timestamp(checkedAt),
      uncheckedSeconds: Math.max(0, Math.round((this.clock.now() - checkedAt) / 1000)),
    };
  }

  /**
   * Approves the promotion of a canary that awaits approval, as the evidence and the gate are now. The last one that is
   * needed makes it PROMOTED; a driver then carries it out.
   * @param digest what was looked at, or its beginning; refused when something else would be approved
   * @throws LukhasError ILLEGAL_TRANSITION, APPROVAL_REFUSED, USAGE
   */
  async approve(id: string, by: Actor, reason: string, digest?: string): Promise<Canary> {
    const given = reasonOf(reason);
    if (digest !== undefined && digest.length < DIGEST_LEAST)
      throw new LukhasError(
        'USAGE',
        `--digest "${digest}": must have at least ${DIGEST_LEAST} characters of the digest.`,
      );
    const draft = async (canary: Canary, ts: string): Promise<Wanted> => {
      assertAllowed(canary, 'canary.approved');
      const { required, not } = ruleOf(canary);
      if (not === 'requester') assertNotRequester(canary, by);
      assertIdentified(by);
      assertInTime(canary, Date.parse(ts));
      const gate = await gateNow(this.ledger, canary.toGate);
      const now = approvalDigest(canary, gate);
      if (digest !== undefined) assertMeant(canary, now, digest);
      const before = canary.consent.approvals.filter((a) => a.digest === now);
      if (before.some((a) => principal(a.by) === principal(by)))
        throw refused(`${by.who} has already approved canary ${id}`, 'Ask another person to approve it.');
      const count = countApprovals(canary.consent, now) + 1;
      const data = { by, reason: given, digest: now, gate, count, required };
      const event = { kind: 'canary.approved', subject: id, ts, data } as const;
      return { event, expect: [{ subject: `gate:${canary.toGate}`, lastSeq: gate.seq }] };
    };
    return appendAllowed(this.ledger, this.clock, id, draft, promotable(this.beforePromoting));
  }

  /** Refuses a promotion that awaits approval: it is over. Anybody may, also who asked for it. @throws as `approve` */
  async reject(id: string, by: Actor, reason: string): Promise<Canary> {
    const given = reasonOf(reason);
    const draft = (canary: Canary, ts: string): Wanted => {
      assertAllowed(canary, 'canary.rejected');
      assertIdentified(by);
      return { event: { kind: 'canary.rejected', subject: id, ts, data: { by, reason: given } } };
    };
    return appendAllowed(this.ledger, this.clock, id, draft, provenCanary);
  }

  /**
   * Break-glass: promotes a BLOCKED canary without the approvals, and if need be the evidence, that its policy wants.
   * @throws LukhasError ILLEGAL_TRANSITION, APPROVAL_REFUSED, USAGE when the reason is too short or nobody is asked anyway
   */
  async breakGlass(id: string, by: Actor, reason: string): Promise<Canary> {
    const given = reasonOf(reason, BREAK_GLASS_REASON);
    const draft = (canary: Canary, ts: string): Wanted => {
      if (canary.policy.approvals === undefined)
        throw new LukhasError('USAGE', `Canary ${id} needs no approvals: break-glass does not apply.`, {
          suggestions: [`lukhas canary promote ${id} --reason "..."`],
        });
      assertAllowed(canary, 'canary.forced');
      assertIdentified(by);
      const data = { by, reason: given, reviewDueAt: Date.parse(ts) + REVIEW_MS };
      return { event: { kind: 'canary.forced', subject: id, ts, data } };
    };
    return appendAllowed(this.ledger, this.clock, id, draft, promotable(this.beforePromoting));
  }

  /** Marks a break-glass promotion as reviewed, late ones too. @throws LukhasError ILLEGAL_TRANSITION, APPROVAL_REFUSED, USAGE */
  async review(id: string, by: Actor, reason: string): Promise<Canary> {
    const given = reasonOf(reason);
    const draft = (canary: Canary, ts: string): Wanted => {
      assertAllowed(canary, 'canary.reviewed');
      assertIdentified(by);
      const { breakGlass } = canary.consent;
      if (breakGlass && principal(breakGlass.by) === principal(by))
        throw refused(`${by.who} promoted canary ${id} by break-glass`, 'Ask another person to review it.');
      return { event: { kind: 'canary.reviewed', subject: id, ts, data: { by, reason: given } } };
    };
    return appendAllowed(this.ledger, this.clock, id, draft, provenCanary);
  }
}

/**
 * Why approvals that were complete do not hold any more; null: they hold. A gate that the canary itself has entered, before
 * a crash, is no change that others made. What was begun in time may end later.
 * @param begun hooks have been called
 */
export async function lapseOf(
  ledger: Ledger,
  canary: Canary,
  now: number,
  begun: boolean,
): Promise<EventData['canary.lapsed'] | null> {
  const approval = canary.consent.approvals.at(-1);
  if (approval === undefined)
    throw new Error(`${canary.id} has a decision to promote, but not the approvals that its policy requires`);
  const own = await gateHistory(ledger, canary.toGate, { from: approval.gate.seq + 1, mentions: canary.id });
  if (own.some(({ canaryId }) => canaryId === canary.id)) return null;
  const gate = await gateNow(ledger, canary.toGate);
  if (approvalDigest(canary, gate) !== approval.digest) return { cause: 'gate', holder: gate.holder, begun };
  return begun || now < endOf(canary) ? null : { cause: 'time', holder: gate.holder, begun };
}

async function gateNow(ledger: Ledger, gate: string): Promise<Gate> {
  const [last] = await gateHistory(ledger, gate, { limit: 1, newest: true });
  return { holder: last?.modelId ?? null, seq: last?.seq ?? -1 };
}

/** What an approval binds: sha256 over canonical JSON (RFC 8785) of everything that could change under it. */
function approvalDigest(canary: Canary, gate: Gate): string {
  const { id, fromGate, toGate, modelId, policyDigest, observations, verdict, ended, decidedAt } = canary;
  const bound = {
    canaryId: id,
    from: fromGate,
    to: toGate,
    model: modelId,
    policy: policyDigest,
    evidence: { observations: observations?.digest ?? null, verdict: sha256(canonicalJson(verdict, 'verdict')) },
    // A person's word against the verdict: who, why, when.
    override: ended && { ...ended, at: decidedAt },
    gate,
  };
  return sha256(canonicalJson(bound, 'approval'));
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function ruleOf(canary: Canary) {
  const rule = approvalRule(canary);
  if (rule === null) throw new Error(`${canary.id} waits for approvals, but its policy requires none`);
  return rule;
}

function endOf(canary: Canary): number {
  return approvalsEndAt(ruleOf(canary), canary.decidedAt ?? canary.updatedAt);
}

/** Whoever overrides a verdict asks for the promotion as much as whoever started the canary. */
function assertNotRequester({ id, requestedBy, ended }: Canary, by: Actor): void {
  const asked = [requestedBy, ...(ended ? [ended.by] : [])].some((actor) => principal(actor) === principal(by));
  if (asked) throw refused(`${by.who} requested the promotion of canary ${id}`, 'Ask another person to approve it.');
}

/** A client without a key may be anybody on the machine. */
function assertIdentified(by: Actor): void {
  if (by.how !== 'os-user' && by.how !== 'api-key')
    throw refused(`${by.who} (${by.how}) does not identify a person`, 'Use a personal account or API key.');
}

function assertInTime(canary: Canary, now: number): void {
  const end = endOf(canary);
  if (now >= end)
    throw refused(
      `approvals of canary ${canary.id} expired at ${timestamp(end)}`,
      `Start a new canary: lukhas canary start --model ${canary.modelId} --from ${canary.fromGate} --to ${canary.toGate}`,
    );
}

function assertMeant({ id }: Canary, digest: string, wanted: string): void {
  if (!digest.startsWith(wanted))
    throw refused(
      `the evidence of canary ${id} has changed: its digest is ${digest}, not ${wanted}`,
      `Check it again: lukhas canary status ${id}`,
    );
}

function refused(what: string, next: string): LukhasError {
  return new LukhasError('APPROVAL_REFUSED', `Not recorded: ${what}.`, { suggestions: [next] });
}

/** When the evidence ends by the clock; an input has times of its own, and was read when it was decided on. */
function lastCheckOf({ verdict, decidedAt, source }: Canary): number {
  const own = source['kind'] === 'ndjson' ? null : (verdict?.at ?? null);
  return own ?? Date.parse(decidedAt ?? '1970-01-01T00:00:00Z');
}

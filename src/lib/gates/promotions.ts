import { timestamp } from '../clock.js';
import { isConflict, LukhasError } from '../errors.js';
import { parseName } from '../input/index.js';
import type { Actor } from '../ledger/index.js';
import { actingFor, asStored, newId, takeLease } from '../ledger/index.js';
import { applyPromotionEvent, ENDED_KINDS, type Promotion, promotionSummary } from '../readings/index.js';
import { type Eligibility, eligibilityOf, evidenceSentence } from './eligibility.js';
import type { HooksConfig } from './hook.js';
import { promotionOfChange, underWay } from './promotion-change.js';
import type { DriveContext } from './promotion-drive.js';
import { ProvenIndex } from './proven-index.js';
import { gateHistory } from './registry.js';

/** `beforePromoting` is asked before a request is recorded, too. */
interface PromotionsOptions extends Omit<DriveContext, 'index' | 'hooks' | 'signal'> {
  hooks: HooksConfig;
  /** Whether a canary must have proved what is promoted. */
  requireCanary: boolean;
}

export interface PromoteRequest {
  modelId: string;
  gate: string;
  /** Say what would happen; write nothing, call nothing. */
  dryRun: boolean;
  by: Actor;
  /** Longest wait for the hooks; it goes on in the background after that. */
  waitMs?: number;
}

/** What became of a request. */
export interface PromotionResult {
  modelId: string;
  gate: string;
  dryRun: boolean;
  /** Whether this changed the gate; of a dry run, whether it would. */
  changed: boolean;
  /** Gates that the model holds now, by name. */
  currentGates: string[];
  /** Whether the model has entered the gate; never of a dry run, unless it holds the gate already. */
  promoted: boolean;
  /** Since when, RFC 3339 UTC; null unless promoted. */
  promotedAt: string | null;
  /** The canary whose evidence it stands on; null without one. */
  canaryId: string | null;
  /** Null when nothing was asked for. */
  promotionId: string | null;
  /** One sentence without its stop. */
  reason: string;
}

const WAIT_MS = 25_000;
/** Longest that a timer can wait. */
const LONGEST_MS = 2 ** 31 - 1;
/** For the moment between looking at the evidence and writing the request. */
const DOOR_MS = 10_000;
const KNOCK_MS = 20;
const RACES = 5;

/**
 * Promotes models on evidence that is there already: never without it, unless the configuration asks for none. A
 * request for what is so already, or is under way, begins nothing. Owns what it has begun until `close`.
 */
export class Promotions {
  /** Told when a promotion that nobody waits for any more could not be driven on; it stays open. */
  onError: ((promotionId: string, error: unknown) => void) | null = null;
  private readonly driving = new Map<string, Promise<Promotion>>();
  private readonly stop = new AbortController();
  private readonly index: ProvenIndex;
  private requests = 0;

  constructor(private readonly options: PromotionsOptions) {
    this.index = new ProvenIndex(options.ledger);
  }

  /**
   * Makes a model the holder of a gate: evidence, promote hooks, registry. Idempotent.
   * @throws LukhasError USAGE for a bad name; NO_EVIDENCE when nothing proves that it may (a dry run says so instead);
   *   LEDGER_CORRUPT when what proves it is not as it was recorded; what `beforePromoting` throws
   */
  async promote(request: PromoteRequest): Promise<PromotionResult> {
    const modelId = parseName('model', request.modelId);
    const gate = parseName('gate', request.gate);
    const outlook = await this.outlook(modelId, gate);
    if (request.dryRun) return this.foreseen(modelId, gate, outlook);
    const id = await this.begun(modelId, gate, request.by, outlook);
    if (id === null) return this.held(modelId, gate, false);
    const promotion = await this.ended(id, request.waitMs ?? WAIT_MS);
    return this.told(promotion ?? (await this.get(id)));
  }

  /** @throws LukhasError NOT_FOUND */
  async get(id: string): Promise<Promotion> {
    const { loadPromotion } = await import('./promotion-drive.js');
    return loadPromotion(this.options.ledger, id);
  }

  /**
   * Goes on with every open promotion of the log, as after a restart. The signal ends all that is under way here.
   * @throws what kept the first of them from its end
   */
  async driveOpen(signal: AbortSignal): Promise<void> {
    const end = () => this.stop.abort(signal.reason);
    if (signal.aborted) end();
    signal.addEventListener('abort', end, { once: true });
    try {
      const ids = await this.options.ledger.openSubjects('promotion', ENDED_KINDS);
      const outcomes = await Promise.allSettled(ids.map((id) => this.drive(id)));
      const failed = outcomes.find((outcome) => outcome.status === 'rejected');
      if (failed !== undefined && !this.stop.signal.aborted) throw failed.reason;
    } finally {
      signal.removeEventListener('abort', end);
    }
  }

  /**
   * Stops what is under way and waits for it; what is not done stays open in the log.
   * @param reason what requests that wait for their turn end with
   */
  async close(reason = new Error('lukhas is stopping')): Promise<void> {
    this.stop.abort(reason);
    await Promise.allSettled(this.driving.values());
  }

  private outlook(modelId: string, gate: string): Promise<Eligibility> {
    const { requireCanary } = this.options;
    return eligibilityOf(this.index, modelId, gate, requireCanary);
  }

  /** The open promotion, or a new one; null when the model holds the gate already. */
  private async begun(modelId: string, gate: string, by: Actor, first: Eligibility): Promise<string | null> {
    if (first.kind === 'open') return first.id;
    if (first.kind === 'held') return null;
    if (first.kind === 'refused') throw first.error;
    const { ledger, holder } = this.options;
    // Each request is a holder of its own: those of one process must not pass each other either.
    const mine = actingFor(holder, String(++this.requests));
    for (let race = 1; ; race++) {
      await this.enter(requestLease(gate), mine);
      try {
        const outlook = await this.outlook(modelId, gate);
        if (outlook.kind !== 'allowed') return await this.begun(modelId, gate, by, outlook);
        return await this.request(modelId, gate, by, outlook, mine);
      } catch (error) {
        const lost = isConflict(error);
        if (!lost || race === RACES) throw error;
      } finally {
        await ledger.releaseLease(requestLease(gate), mine);
      }
    }
  }

  private async enter(door: string, holder: string): Promise<void> {
    const { ledger, clock } = this.options;
    const { signal } = this.stop;
    for (;;) {
      signal.throwIfAborted();
      if ((await takeLease(ledger, door, holder, clock, DOOR_MS)) === null) return;
      await clock.sleep(KNOCK_MS, signal);
    }
  }

  private async request(
    modelId: string,
    gate: string,
    by: Actor,
    { evidence, previous, gateSeq }: Extract<Eligibility, { kind: 'allowed' }>,
    holder: string,
  ): Promise<string> {
    const { ledger, clock, beforePromoting } = this.options;
    await beforePromoting?.();
    const now = clock.now();
    const subject = newId('p', now);
    const { canaryId = null, fromGate = '' } = evidence ?? {};
    const data = { modelId, gate, fromGate, previous, canaryId, requestedBy: by };
    const event = { kind: 'promotion.requested', subject, ts: timestamp(now), data } as const;
    await ledger.commit({
      events: [event],
      summaries: [promotionSummary(applyPromotionEvent(null, asStored(event, 0)))],
      expect: [
        { lease: requestLease(gate), holder },
        { subject: `gate:${gate}`, lastSeq: gateSeq },
        { subject, lastSeq: -1 },
      ],
    });
    return subject;
  }

  private drive(id: string): Promise<Promotion> {
    const known = this.driving.get(id);
    if (known !== undefined) return known;
    const driving = this.driven(id).finally(() => this.driving.delete(id));
    this.driving.set(id, driving);
    return driving;
  }

  private async driven(id: string): Promise<Promotion> {
    const { drivePromotion } = await import('./promotion-drive.js');
    const { options, index, stop } = this;
    return drivePromotion({ ...options, index, hooks: options.hooks.promote, signal: stop.signal }, id);
  }

  /** Null when the wait is over, or this process ends, before the promotion does. */
  private async ended(id: string, waitMs: number): Promise<Promotion | null> {
    const driving = this.drive(id);
    const over = new AbortController();
    const wait = this.options.clock.sleep(Math.min(waitMs, LONGEST_MS), over.signal).then(
      () => null,
      (error: unknown) => {
        if (!over.signal.aborted) throw error;
        return null;
      },
    );
    try {
      const first = await Promise.race([driving, wait]);
      if (first === null) driving.catch((error: unknown) => this.leave(id, error));
      return first;
    } catch (error) {
      if (this.stop.signal.aborted) return null;
      throw error;
    } finally {
      over.abort();
    }
  }

  private leave(id: string, error: unknown): void {
    if (!this.stop.signal.aborted) this.onError?.(id, error);
  }

  private async foreseen(modelId: string, gate: string, outlook: Eligibility): Promise<PromotionResult> {
    if (outlook.kind === 'held') return this.held(modelId, gate, true);
    const base = await this.base(modelId, gate, true);
    if (outlook.kind === 'refused') return { ...base, reason: outlook.error.message.replace(/\.$/, '') };
    if (outlook.kind === 'open') {
      const reason = `promotion ${outlook.id} is in progress`;
      return { ...base, changed: true, promotionId: outlook.id, reason };
    }
    const canaryId = outlook.evidence?.canaryId ?? null;
    return { ...base, changed: true, canaryId, reason: `would be promoted ${evidenceSentence(canaryId)}` };
  }

  private async held(modelId: string, gate: string, dryRun: boolean): Promise<PromotionResult> {
    const { ledger } = this.options;
    const base = await this.base(modelId, gate, dryRun);
    const change = (await gateHistory(ledger, gate)).at(-1);
    if (change === undefined || change.modelId !== modelId) {
      throw new LukhasError('LEDGER_CONFLICT', `the holder of ${gate} changed during the request: run it again`);
    }
    const through =
      change.canaryId === null ? await promotionOfChange(ledger, { modelId, gate, seq: change.seq }) : null;
    return {
      ...base,
      promoted: true,
      promotedAt: change.ts,
      canaryId: change.canaryId ?? through?.canaryId ?? null,
      promotionId: through?.id ?? null,
      reason: `${modelId} already holds ${gate}, since ${change.ts}${await this.succession(modelId, gate)}`,
    };
  }

  /** Who holds a gate now may not for long. */
  private async succession(modelId: string, gate: string): Promise<string> {
    const all = await underWay(this.options.ledger, gate);
    const next = all.find((row) => row.modelId !== modelId && row.state !== 'ROLLED_BACK');
    return next === undefined ? '' : `; ${next.modelId} is being promoted to it (${next.subject})`;
  }

  private async told(promotion: Promotion): Promise<PromotionResult> {
    const { id, modelId, gate, canaryId, result, requestedSeq } = promotion;
    const base = { ...(await this.base(modelId, gate, false)), canaryId, promotionId: id };
    if (result === null) return { ...base, reason: this.stop.signal.aborted ? STOPPED : 'still running' };
    if (!result.ok) return { ...base, reason: failure(promotion) };
    const entries = (await gateHistory(this.options.ledger, gate)).filter((change) => change.modelId === modelId);
    const entry = entries.find((change) => change.seq > requestedSeq) ?? entries.at(-1);
    const reason = `promoted ${evidenceSentence(canaryId)}`;
    return { ...base, changed: result.changed, promoted: true, promotedAt: entry?.ts ?? promotion.updatedAt, reason };
  }

  private async base(modelId: string, gate: string, dryRun: boolean): Promise<PromotionResult> {
    await this.index.catchUp();
    const currentGates = this.index.gatesOf(modelId);
    const nothing = { changed: false, promoted: false, promotedAt: null, canaryId: null, promotionId: null };
    return { modelId, gate, dryRun, ...nothing, currentGates, reason: '' };
  }
}

/** Where requests for a gate are written one at a time: not the lease of who acts on it, which is held as long as hooks take. */
function requestLease(gate: string): string {
  return `door:${gate}`;
}

const STOPPED = 'still running: lukhas is stopping; repeat the request to continue it';

function failure({ result, detail }: Promotion): string {
  if (result?.failed == null)
    return 'cancelled: the gate, or the evidence about the model, changed before the promotion was complete';
  return `hook "${result.failed}" failed${detail === null ? '' : `: ${detail}`}`;
}

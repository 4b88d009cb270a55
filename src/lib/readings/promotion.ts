import { LukhasError } from '../errors.js';
import type { EventData, StoredEvent, SummaryDraft } from '../ledger/index.js';
import { isPromotionEvent, type PromotionEvent, unhandled } from './meaning.js';

/** A promotion on evidence that was there already, as its events tell it; `fromGate` is empty without evidence. */
export interface Promotion extends Readonly<EventData['promotion.requested']> {
  id: string;
  state: 'requested' | 'promoted' | 'failed';
  /** RFC 3339 UTC. */
  createdAt: string;
  updatedAt: string;
  /** Null while something is still to be done. */
  result: EventData['promotion.finished'] | null;
  /** What the newest call of a hook said of its failure. */
  detail: string | null;
  requestedSeq: number;
  lastSeq: number;
}

/**
 * Folds one event of a promotion's subject in; the first must be `promotion.requested`. Pure.
 * @throws LukhasError LEDGER_CORRUPT when it cannot follow
 */
export function applyPromotionEvent(promotion: Promotion | null, event: PromotionEvent): Promotion {
  if (promotion === null) {
    if (event.kind === 'promotion.requested') return requested(event);
    throw corrupt(event, 'comes before its request');
  }
  if (promotion.result !== null) throw corrupt(event, 'comes after its end');
  const next = { ...promotion, updatedAt: event.ts, lastSeq: event.seq };
  switch (event.kind) {
    case 'promotion.requested':
      throw corrupt(event, 'requests it again');
    case 'promotion.finished':
      return { ...next, result: event.data, state: event.data.ok ? 'promoted' : 'failed' };
    case 'hook.finished':
      return { ...next, detail: event.data.ok ? null : event.data.detail };
    case 'hook.intended':
      return next;
    default:
      return unhandled(event);
  }
}

export function foldPromotion(events: Iterable<StoredEvent>): Promotion | null {
  let promotion: Promotion | null = null;
  for (const event of events) if (isPromotionEvent(event)) promotion = applyPromotionEvent(promotion, event);
  return promotion;
}

/** The row that listings read. */
export function promotionSummary({ id, modelId, state, result, gate, fromGate, canaryId }: Promotion): SummaryDraft {
  return {
    subject: id,
    type: 'promotion',
    state,
    modelId,
    open: result === null,
    data: { gate, fromGate, canaryId, failed: result?.failed ?? null },
  };
}

function requested(event: Extract<StoredEvent, { kind: 'promotion.requested' }>): Promotion {
  return {
    ...event.data,
    id: event.subject,
    state: 'requested',
    createdAt: event.ts,
    updatedAt: event.ts,
    result: null,
    detail: null,
    requestedSeq: event.seq,
    lastSeq: event.seq,
  };
}

function corrupt({ seq, kind, subject }: StoredEvent, what: string): LukhasError {
  return new LukhasError('LEDGER_CORRUPT', `Log entry ${seq} (${kind}) of the promotion ${subject} ${what}.`);
}

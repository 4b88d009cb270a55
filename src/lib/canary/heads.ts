import { isDeepStrictEqual } from 'node:util';
import { LukhasError } from '../errors.js';
import { applyPromotionEvent, type Promotion, promotionHead } from '../gates/promotion-state.js';
import { gateHead } from '../gates/registry.js';
import type { Job } from '../jobs/job.js';
import { applyJobEvent, isJobEvent, jobHead } from '../jobs/state.js';
import type { StoredEvent } from '../ledger/events.js';
import type { Head, HeadDraft, Ledger } from '../ledger/ledger.js';
import { applyEvent, type Canary, headOf } from './state.js';

/** Rebuilds every head from the log alone: canaries, promotions and jobs by the same fold that made them, gates by their last change. */
export async function* foldHeads(events: AsyncIterable<StoredEvent>): AsyncIterable<Head> {
  const canaries = new Map<string, Canary>();
  const gates = new Map<string, HeadDraft>();
  const promotions = new Map<string, Promotion>();
  const jobs = new Map<string, Job>();
  const spans = new Map<string, { first: StoredEvent; last: StoredEvent }>();
  for await (const event of events) {
    // Of the log itself: nothing goes on about it.
    if (event.kind === 'evidence.failed') continue;
    const promotion = promotions.get(event.subject) ?? null;
    if (event.kind === 'gate.changed') gates.set(event.subject, gateHead(event.data));
    else if (isJobEvent(event)) jobs.set(event.subject, applyJobEvent(jobs.get(event.subject) ?? null, event));
    else if (promotion !== null || event.kind === 'promotion.requested')
      promotions.set(event.subject, applyPromotionEvent(promotion, event));
    else canaries.set(event.subject, applyEvent(canaries.get(event.subject) ?? null, event));
    // Hooks' own records leave the row of the canary or promotion as it is: the result of all of them changes it.
    if (event.kind === 'hook.intended' || event.kind === 'hook.finished') continue;
    const span = spans.get(event.subject);
    spans.set(event.subject, { first: span?.first ?? event, last: event });
  }
  for (const [subject, { first, last }] of spans) {
    const canary = canaries.get(subject);
    const promotion = promotions.get(subject);
    const job = jobs.get(subject);
    const known = promotion ? promotionHead(promotion) : job ? jobHead(job) : gates.get(subject);
    const draft = canary ? headOf(canary) : known;
    if (draft) yield { ...draft, firstSeq: first.seq, lastSeq: last.seq, createdAt: first.ts, updatedAt: last.ts };
  }
}

const PAGE = 1000;

/**
 * Compares the rows that listings read with what the log makes of them. The log must have been verified.
 * @returns problems in words, one for each row that differs, is missing, or is of nothing in the log
 */
export async function checkHeads(ledger: Ledger): Promise<string[]> {
  try {
    const { size, heads } = await settledHeads(ledger);
    const rows = new Map(heads.map((head) => [head.subject, head]));
    const wrong: string[] = [];
    for await (const head of foldHeads(firstEvents(ledger, size))) {
      if (!isDeepStrictEqual(rows.get(head.subject), head)) wrong.push(head.subject);
      rows.delete(head.subject);
    }
    return [...wrong, ...rows.keys()].map(
      (subject) => `listing row of ${subject} is not what the log says; make it anew: lukhas db rebuild`,
    );
  } catch (error) {
    // A row that is no JSON, or entries that contradict each other: found, not failed.
    if (error instanceof LukhasError && error.code === 'LEDGER_CORRUPT') return [error.message];
    throw error;
  }
}

/** Rows with the size of the log that they were made from: others may append meanwhile. */
async function settledHeads(ledger: Ledger): Promise<{ size: number; heads: Head[] }> {
  for (;;) {
    const size = await ledger.size();
    const heads = await ledger.heads();
    if ((await ledger.size()) === size) return { size, heads };
  }
}

async function* firstEvents(ledger: Ledger, size: number): AsyncGenerator<StoredEvent> {
  for (let from = 0; from < size; from += PAGE) yield* await ledger.events({ from, to: Math.min(from + PAGE, size) });
}

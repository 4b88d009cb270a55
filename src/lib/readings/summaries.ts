import type { StoredEvent, SubjectSummary, SummaryDraft } from '../ledger/index.js';
import { applyEvent, type Canary, canarySummary } from './canary.js';
import { gateSummary } from './gate.js';
import type { Job } from './job.js';
import { applyJobEvent, isJobEvent, jobSummary } from './job-state.js';
import { applyPromotionEvent, type Promotion, promotionSummary } from './promotion.js';

/** Rebuilds every head from the log alone: canaries, promotions and jobs by the same fold that made them, gates by their last change. */
export async function* foldSummaries(events: AsyncIterable<StoredEvent>): AsyncIterable<SubjectSummary> {
  const canaries = new Map<string, Canary>();
  const gates = new Map<string, SummaryDraft>();
  const promotions = new Map<string, Promotion>();
  const jobs = new Map<string, Job>();
  const spans = new Map<string, { first: StoredEvent; last: StoredEvent }>();
  for await (const event of events) {
    // Of the log itself: nothing goes on about it.
    if (event.kind === 'evidence.failed') continue;
    const promotion = promotions.get(event.subject) ?? null;
    if (event.kind === 'gate.changed') gates.set(event.subject, gateSummary(event.data));
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
    const known = promotion ? promotionSummary(promotion) : job ? jobSummary(job) : gates.get(subject);
    const draft = canary ? canarySummary(canary) : known;
    if (draft) yield { ...draft, firstSeq: first.seq, lastSeq: last.seq, createdAt: first.ts, updatedAt: last.ts };
  }
}

import type { StoredEvent, SubjectSummary, SummaryDraft } from '../ledger/index.js';
import { applyEvent, type Canary, canarySummary } from './canary.js';
import { gateSummary } from './gate.js';
import type { Job } from './job.js';
import { applyJobEvent, jobSummary } from './job-state.js';
import { isCanaryEvent, isJobEvent, isPromotionEvent } from './meaning.js';
import { applyPromotionEvent, type Promotion, promotionSummary } from './promotion.js';

/** Rebuilds every summary from the log alone: canaries, promotions and jobs by the same fold that made them, gates by their last change. */
export async function* foldSummaries(events: AsyncIterable<StoredEvent>): AsyncIterable<SubjectSummary> {
  const canaries = new Map<string, Canary>();
  const gates = new Map<string, SummaryDraft>();
  const promotions = new Map<string, Promotion>();
  const jobs = new Map<string, Job>();
  const spans = new Map<string, { first: StoredEvent; last: StoredEvent }>();
  for await (const event of events) {
    const { subject } = event;
    const promotion = promotions.get(subject) ?? null;
    if (event.kind === 'gate.changed') gates.set(subject, gateSummary(event.data));
    else if (isJobEvent(event)) jobs.set(subject, applyJobEvent(jobs.get(subject) ?? null, event));
    // A hook is of the canary or of the promotion that was asked for under this name.
    else if (isPromotionEvent(event) && !(isCanaryEvent(event) && promotion === null))
      promotions.set(subject, applyPromotionEvent(promotion, event));
    else if (isCanaryEvent(event)) canaries.set(subject, applyEvent(canaries.get(subject) ?? null, event));
    // Of the log itself: nothing goes on about it.
    else continue;
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

import { gateHead } from '../gates/registry.js';
import type { StoredEvent } from '../ledger/events.js';
import type { Head, HeadDraft } from '../ledger/ledger.js';
import { applyEvent, type Canary, headOf } from './state.js';

/** Rebuilds every head from the log alone: canaries by the same fold that made them, gates by their last change. */
export async function* foldHeads(events: AsyncIterable<StoredEvent>): AsyncIterable<Head> {
  const canaries = new Map<string, Canary>();
  const gates = new Map<string, HeadDraft>();
  const spans = new Map<string, { first: StoredEvent; last: StoredEvent }>();
  for await (const event of events) {
    if (event.kind === 'gate.changed') gates.set(event.subject, gateHead(event.data));
    else canaries.set(event.subject, applyEvent(canaries.get(event.subject) ?? null, event));
    // Hooks' own records leave the canary's row as it is: the result of all of them changes it.
    if (event.kind === 'hook.intended' || event.kind === 'hook.finished') continue;
    const span = spans.get(event.subject);
    spans.set(event.subject, { first: span?.first ?? event, last: event });
  }
  for (const [subject, { first, last }] of spans) {
    const canary = canaries.get(subject);
    const draft = canary ? headOf(canary) : gates.get(subject);
    if (draft) yield { ...draft, firstSeq: first.seq, lastSeq: last.seq, createdAt: first.ts, updatedAt: last.ts };
  }
}

import { decisionWords, objectiveLine, oneLine } from '../explain/index.js';
import type { Document, StoredEvent } from '../ledger/index.js';
import { type FoundEvent, factsOf, isFound } from '../readings/index.js';
import { wayOf } from './canary-document.js';

/** What an entry of the log is called: `fraud-v2 stage -> production: decided to roll back (entry 12 of c-m8k2x0)`. */
export function eventTitle(event: StoredEvent, request: StoredEvent | null): string {
  const facts = request && factsOf(event.subject, [request]);
  const what = isFound(event) ? decisionWords(event).what : event.kind;
  if (event.kind === 'gate.changed') return oneLine(`${what} (entry ${event.seq})`);
  return oneLine(`${facts ? `${wayOf(facts)}: ` : ''}${what} (entry ${event.seq} of ${event.subject})`);
}

/** A decision, an act of a person or a change of a gate as it can be found. */
export function eventDocument(event: FoundEvent, request: StoredEvent | null): Document {
  const said = decisionWords(event);
  const measured = event.kind === 'canary.decided' ? event.data.verdict.objectives.map(objectiveLine) : [];
  return {
    id: `event:${event.seq}`,
    title: eventTitle(event, request),
    body: [...said.lines, ...measured, `${event.kind}, ${event.ts}`].map(oneLine).join('\n'),
  };
}

import type { Document, FoundDocument, Ledger } from '../ledger/index.js';
import { eventTitle } from './event-document.js';
import { requestOf } from './indexer.js';
import { expressionsOf, termsOf } from './query.js';

/** Kinds of documents whose ids end in a name or id that a user may give alone. */
const NAMED = ['canary', 'job', 'promotion', 'model', 'gate', 'policy', 'doc'] as const;
/** Of these each id is of one thing: within a longer text it is what the text is about. */
const UNIQUE = ['canary', 'job', 'promotion'] as const;
const SHORTEST_PREFIX = 4;
/** An id within a longer text: long enough, and with a digit, so that no word is taken for one. */
const ID = /^(?=.*\d).{6,}$/;
const SNIPPET = 160;

/** What is named exactly, what begins so, what holds all the words; if there is none of these, what holds any. */
export async function find(ledger: Ledger, query: string, limit: number): Promise<FoundDocument[]> {
  const found = new Map<string, FoundDocument>();
  const add = (documents: readonly FoundDocument[]) => {
    for (const document of documents) if (!found.has(document.id)) found.set(document.id, document);
  };
  add(await named(ledger, query.trim(), limit));
  // What was named is whole; all that begins like it would take long to find, and is not meant.
  const expressions = expressionsOf(query, found.size > 0);
  if (expressions === null) return [...found.values()].slice(0, limit);
  const { documents } = ledger;
  if (found.size < limit) add(await documents.match(expressions.all, limit));
  if (found.size === 0) add(await documents.match(expressions.any, limit));
  return [...found.values()].slice(0, limit);
}

async function named(ledger: Ledger, text: string, limit: number): Promise<FoundDocument[]> {
  const { documents } = ledger;
  const terms = termsOf(text);
  const whole = terms.length === 1;
  const ids = terms.flatMap((term) => (whole ? idsOf(term) : ID.test(term) ? idsOf(term, UNIQUE) : []));
  const exact = await Promise.all([text, ...ids].map((id) => documents.get(id)));
  const prefixes = whole && text.length >= SHORTEST_PREFIX ? idsOf(text) : [];
  const begun = await Promise.all(prefixes.map((prefix) => documents.beginning(prefix, limit)));
  const hits = [...exact.flatMap((d) => d ?? []), ...begun.flat()].map(asFound);
  return [...(await entry(ledger, text)), ...hits];
}

/** The documents that a name or an id may stand for; one that tells its kind stands for itself. */
function idsOf(name: string, kinds: readonly string[] = NAMED): string[] {
  return NAMED.some((kind) => name.startsWith(`${kind}:`)) ? [name] : kinds.map((kind) => `${kind}:${name}`);
}

/** Every entry of the log can be fetched; only decisions are indexed. */
async function entry(ledger: Ledger, text: string): Promise<FoundDocument[]> {
  const seq = seqOf(text);
  const [event] = seq === null ? [] : await ledger.events({ from: seq, to: seq + 1 });
  if (event === undefined) return [];
  const request = await requestOf(ledger, event.subject);
  return [{ id: text, title: eventTitle(event, request), snippet: `${event.kind}, ${event.ts}` }];
}

/** The number in `event:123`; null for anything else. */
export function seqOf(id: string): number | null {
  const digits = /^event:(\d{1,15})$/.exec(id)?.[1];
  return digits === undefined ? null : Number(digits);
}

function asFound({ id, title, body }: Document): FoundDocument {
  const line = body
    .slice(0, 4 * SNIPPET)
    .replace(/\s+/g, ' ')
    .trim();
  return { id, title, snippet: line.length <= SNIPPET ? line : `${line.slice(0, SNIPPET - 1)}…` };
}

import { LukhasError } from '../errors.js';
import { quote } from '../input/index.js';
import type { Policy } from '../judge/index.js';
import type { Ledger } from '../ledger/index.js';
import { canonicalJson, leafHash } from '../ledger/tree/index.js';
import { factsOf } from '../readings/index.js';
import { canaryDocument } from './canary-document.js';
import { eventTitle } from './event-document.js';
import { seqOf } from './find.js';
import { requestOf } from './indexer.js';
import { gateDocument } from './name-document.js';
import { type Pages, pageDocuments } from './pages.js';
import { workDocument } from './work-document.js';

/** What is fetched by its id. */
export interface FetchedDocument {
  id: string;
  title: string;
  text: string;
  /** Absolute, or empty: what has no address of its own. */
  url: string;
  metadata: Record<string, string>;
}

/** What a document is made from. */
export interface Sources {
  ledger: Ledger;
  pages: Pages;
  /** The narrative of a canary or a model, as plain text. */
  narrate(id: string): Promise<string>;
}

type Fetched = Omit<FetchedDocument, 'url'>;
type Fetch = (from: Sources, name: string) => Promise<Fetched | null>;

const KINDS: Readonly<Record<string, Fetch>> = {
  canary: fetchCanary,
  event: fetchEvent,
  job: fetchWork('job'),
  promotion: fetchWork('promotion'),
  model: fetchModel,
  policy: fetchPolicy,
  gate: fetchGate,
  doc: fetchPage,
};

/** @throws LukhasError NOT_FOUND, AMBIGUOUS_ID */
export async function fetchDocument(from: Sources, id: string): Promise<FetchedDocument> {
  const [, kind = '', name = ''] = /^([a-z]+):(.+)$/.exec(id) ?? [];
  const found = Object.hasOwn(KINDS, kind) ? await KINDS[kind]?.(from, name) : null;
  if (found) return { ...found, url: '' };
  throw new LukhasError('NOT_FOUND', `Document ${quote(id)} not found.`, {
    suggestions: [`Use an id from the search results: ${Object.keys(KINDS).join(':…, ')}:…`],
  });
}

async function fetchCanary({ ledger, narrate }: Sources, name: string): Promise<Fetched | null> {
  const ids = await ledger.findSubjects(name, 'canary.requested', 2);
  const id = ids.includes(name) ? name : only(ids, `canary:${name}`);
  if (id === null) return null;
  const events = await ledger.events({ subject: id });
  const document = canaryDocument(id, events);
  const [request] = events;
  const status = factsOf(id, events)?.state;
  if (document === null || status === undefined || request?.kind !== 'canary.requested') return null;
  const { modelId, fromGate, toGate, policyDigest, dryRun, requestedBy } = request.data;
  return {
    id: document.id,
    title: document.title,
    text: await narrate(id),
    metadata: {
      kind: 'canary',
      canaryId: id,
      modelId,
      fromGate,
      toGate,
      status,
      createdAt: request.ts,
      updatedAt: events.findLast(({ kind }) => !kind.startsWith('hook.'))?.ts ?? request.ts,
      policyDigest,
      dryRun: String(dryRun),
      requestedBy: requestedBy.who,
    },
  };
}

async function fetchEvent({ ledger }: Sources, name: string): Promise<Fetched | null> {
  const seq = seqOf(`event:${name}`);
  const [event] = seq === null ? [] : await ledger.events({ from: seq, to: seq + 1 });
  if (event === undefined) return null;
  const canonical = canonicalJson(event, 'event');
  const { kind, subject, ts, v } = event;
  return {
    id: `event:${event.seq}`,
    title: eventTitle(event, await requestOf(ledger, subject)),
    text: JSON.stringify(JSON.parse(canonical), null, 2),
    metadata: {
      kind,
      seq: String(event.seq),
      subject,
      ts,
      version: String(v),
      leafHash: leafHash(canonical).toString('hex'),
    },
  };
}

function fetchWork(kind: 'job' | 'promotion'): Fetch {
  return async ({ ledger }, name) => {
    const events = await ledger.events({ subject: name });
    const document = workDocument(name, events);
    if (document?.id !== `${kind}:${name}`) return null;
    const { id, title, body, metadata } = document;
    return { id, title, text: `${title}\n\n${body}`, metadata: { kind, ...metadata } };
  };
}

async function fetchModel({ ledger, narrate }: Sources, name: string): Promise<Fetched | null> {
  const document = await ledger.documents.get(`model:${name}`);
  if (document === null) return null;
  return {
    id: document.id,
    title: document.title,
    text: await narrate(name),
    metadata: { kind: 'model', modelId: name },
  };
}

async function fetchGate({ ledger }: Sources, name: string): Promise<Fetched | null> {
  const document = await gateDocument(ledger, name);
  if (document === null) return null;
  const { id, title, body } = document;
  return { id, title, text: `${title}\n\n${body}`, metadata: { kind: 'gate', gate: name } };
}

async function fetchPolicy({ ledger }: Sources, name: string): Promise<Fetched | null> {
  const document = only(await ledger.documents.beginning(`policy:${name}`, 2), `policy:${name}`);
  if (document === null) return null;
  const { id, title, body } = document;
  const { windowSeconds, name: called } = JSON.parse(body) as Policy;
  return {
    id,
    title,
    text: body,
    metadata: {
      kind: 'policy',
      policyDigest: id.slice('policy:'.length),
      windowSeconds: String(windowSeconds),
      ...(called === undefined ? {} : { name: called }),
    },
  };
}

async function fetchPage({ pages }: Sources, name: string): Promise<Fetched | null> {
  const page = pages.pages.find((p) => p.name === name.split('#')[0]);
  if (page === undefined) return null;
  const metadata = { kind: 'doc', page: page.name, format: 'markdown' };
  if (page.name === name) return { id: `doc:${name}`, title: page.title, text: page.text, metadata };
  const section = pageDocuments(page).find(({ id }) => id === `doc:${name}`);
  return section ? { id: section.id, title: section.title, text: section.body, metadata } : null;
}

function only<T>(found: readonly T[], id: string): T | null {
  if (found.length > 1)
    throw new LukhasError('AMBIGUOUS_ID', `${quote(id)} matches several documents.`, {
      suggestions: ['Give more characters of the id.'],
    });
  return found[0] ?? null;
}

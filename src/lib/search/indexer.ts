import type { Document, DocumentState, Ledger, StoredEvent } from '../ledger/index.js';
import { isFound } from '../readings/index.js';
import { turn } from '../turns.js';
import { canaryDocument } from './canary-document.js';
import { eventDocument } from './event-document.js';
import { gateDocument, holdersOf, modelDocument, policyDocument } from './name-document.js';
import { type Pages, pageDocuments } from './pages.js';
import { workDocument } from './work-document.js';

/** Raised when documents are composed otherwise than before within a version: what is indexed is then dropped and made anew. */
const FORMAT = 1;
/** Events read at once; documents in one transaction, few enough that a canary's commit never waits for long. */
const PAGE = 500;
const DOCUMENTS = 25;

/** Brings the index to the end of the log; a few reads when it is there. @throws the signal's reason */
export async function catchUp(ledger: Ledger, pages: Pages, signal?: AbortSignal): Promise<void> {
  const made = `${ofVersion(pages)}${pages.digest}`;
  for (;;) {
    signal?.throwIfAborted();
    const state = await ledger.documents.state();
    if (state.made !== made) await renew(ledger, state, made, pages);
    else if (!(await indexNext(ledger, state))) return;
    // Reads come back within one turn of the event loop: others have theirs in between.
    await turn();
  }
}

/** Another version may say the same otherwise: what it indexed is dropped, so that the index can be compared with the log. */
function ofVersion({ version }: Pages): string {
  return `${FORMAT}:${version}:`;
}

/** Whether this version made what is indexed of the log. */
export function madeBy({ made }: DocumentState, pages: Pages): boolean {
  return made.startsWith(ofVersion(pages));
}

/** Whether it holds the product's pages as they are. */
export function hasPages({ made }: DocumentState, pages: Pages): boolean {
  return made === `${ofVersion(pages)}${pages.digest}`;
}

/** The documents of the product's pages. */
export function pagesOf({ pages }: Pages): Document[] {
  return pages.flatMap(pageDocuments);
}

/**
 * The documents that the entries of a range change, each once and from everything the log has: what the index holds of them
 * once it is at the log's end.
 * @param except ids of documents that are left out
 */
export async function* documentsOf(
  ledger: Ledger,
  { from, to, except = new Set() }: { from: number; to: number; except?: ReadonlySet<string> },
): AsyncGenerator<Document> {
  const seen = new Set<string>(except);
  for (let next = from; next < to; ) {
    const events = await ledger.events({ from: next, to, limit: PAGE });
    const end = events.at(-1);
    if (end === undefined) return;
    next = end.seq + 1;
    for (const [id, make] of await tasksOf(ledger, events)) {
      if (seen.has(id)) continue;
      seen.add(id);
      const document = await make();
      if (document === null || except.has(document.id)) continue;
      yield document;
    }
    await turn();
  }
}

async function renew(ledger: Ledger, state: DocumentState, made: string, pages: Pages): Promise<void> {
  const old = state.made !== '' && !madeBy(state, pages);
  // The next round finds it empty.
  if (old) return ledger.documents.clear();
  const documents = pagesOf(pages);
  await ledger.documents.write({ from: state, to: { seq: state.seq, made }, documents, without: 'doc:' });
}

/** @returns false at the end of the log */
async function indexNext(ledger: Ledger, from: DocumentState): Promise<boolean> {
  const events = await ledger.events({ from: from.seq, limit: PAGE });
  const end = events.at(-1);
  if (end === undefined) return false;
  const to = { ...from, seq: end.seq + 1 };
  const tasks = [...(await tasksOf(ledger, events)).values()];
  do {
    const documents: Document[] = [];
    for (const make of tasks.splice(0, DOCUMENTS)) {
      const document = await make();
      if (document !== null) documents.push(document);
    }
    const written = await ledger.documents.write({ from, to: tasks.length > 0 ? from : to, documents });
    // Another process indexes too and was faster: its documents are the newer ones.
    if (!written) return true;
  } while (tasks.length > 0);
  return true;
}

type Make = () => Promise<Document | null> | Document | null;

/** What the events change in the index, by the document's id: each is made once, from everything there is by then. */
async function tasksOf(ledger: Ledger, events: readonly StoredEvent[]): Promise<Map<string, Make>> {
  const tasks = new Map<string, Make>();
  // Read once for all models, when the first is made: a gate that changes later is indexed then.
  let holders: ReturnType<typeof holdersOf> | null = null;
  const addModel: AddModel = (modelId) => {
    tasks.set(`model:${modelId}`, async () => {
      holders ??= holdersOf(ledger);
      return modelDocument(ledger, modelId, await holders);
    });
  };
  const end = (events.at(-1) as StoredEvent).seq + 1;
  for (const [subject, event] of newest(events)) {
    const later = await ledger.events({ subject, from: end, limit: 1 });
    // What goes on later is indexed then.
    if (later.length === 0) await addSubject(ledger, { tasks, addModel }, event);
  }
  for (const event of events) addEvent(ledger, { tasks, addModel }, event);
  return tasks;
}

function newest(events: readonly StoredEvent[]): Map<string, StoredEvent> {
  const found = new Map<string, StoredEvent>();
  for (const event of events) {
    // Removed first, so that the order is that of the newest events.
    found.delete(event.subject);
    found.set(event.subject, event);
  }
  return found;
}

type AddModel = (modelId: string) => void;

interface Tasks {
  tasks: Map<string, Make>;
  addModel: AddModel;
}

async function addSubject(ledger: Ledger, { tasks, addModel }: Tasks, event: StoredEvent): Promise<void> {
  const { subject } = event;
  const all = () => ledger.events({ subject });
  if (event.kind === 'gate.changed') {
    tasks.set(subject, () => gateDocument(ledger, event.data.gate));
    return;
  }
  const request = await requestOf(ledger, subject);
  if (request?.kind === 'canary.requested') {
    // Before the canary, which is then the newer one.
    addModel(request.data.modelId);
    tasks.set(`canary:${subject}`, async () => canaryDocument(subject, await all()));
  } else if (request !== null) tasks.set(`work:${subject}`, async () => workDocument(subject, await all()));
}

function addEvent(ledger: Ledger, { tasks, addModel }: Tasks, event: StoredEvent): void {
  if (event.kind === 'canary.requested') {
    const { policy, policyDigest } = event.data;
    tasks.set(`policy:${policyDigest}`, () => policyDocument(policy, policyDigest));
  }
  if (event.kind === 'gate.changed')
    for (const model of [event.data.previous, event.data.modelId]) if (model !== null) addModel(model);
  if (isFound(event))
    tasks.set(`event:${event.seq}`, async () => eventDocument(event, await requestOf(ledger, event.subject)));
}

/** The event that a subject begins with. */
export async function requestOf(ledger: Ledger, subject: string): Promise<StoredEvent | null> {
  return (await ledger.events({ subject, limit: 1 }))[0] ?? null;
}

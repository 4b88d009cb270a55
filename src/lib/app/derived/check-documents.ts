import type { Ledger } from '../../ledger/index.js';
import type { StoredRows } from '../../ledger/sqlite/index.js';
import type { Tell } from './tell.js';

/**
 * Compares what searches find with what the log and the product's pages make of it. The log must have been verified. What
 * changed in entries that are not indexed yet is told as not checked: the next search indexes them.
 */
export async function checkDocuments(ledger: Ledger, rows: StoredRows, tell: Tell): Promise<void> {
  const state = rows.documentState();
  if (state === null) return;
  const [{ documentsOf, hasPages, madeBy, pagesOf }, { readPages }] = await Promise.all([
    import('../../search/indexer.js'),
    import('../../search/pages.js'),
  ]);
  const pages = await readPages();
  if (!madeBy(state, pages)) {
    tell.unchecked(
      state.made === ''
        ? 'documents, documents_state: nothing is indexed for searches yet; the first search does it'
        : 'documents, documents_state.made: another version of lukhas made the search index; the next search makes it again',
    );
    if (state.made === '')
      for (const id of rows.documentIds()) tell.table(`search document ${id} does not match the log; ${REBUILD}`);
    return;
  }
  const size = await ledger.size();
  const waiting = await waitingDocuments(documentsOf(ledger, { from: state.seq, to: size }));
  if (state.seq < size) {
    tell.unchecked(
      `documents, documents_state.seq: ${size - state.seq} entries are not indexed for searches yet, and ${waiting.size} documents not compared; the next search indexes them`,
    );
  }
  const extra = new Set(rows.documentIds());
  for (const id of waiting) extra.delete(id);
  for await (const document of documentsOf(ledger, { from: 0, to: Math.min(state.seq, size), except: waiting })) {
    if (!rows.isDocument(document)) tell.table(wrong(document.id));
    extra.delete(document.id);
  }
  if (hasPages(state, pages)) {
    for (const document of pagesOf(pages)) {
      if (!rows.isDocument(document)) tell.table(wrong(document.id));
      extra.delete(document.id);
    }
  } else {
    tell.unchecked('documents (doc:…), documents_state.made: the pages of another version of lukhas are indexed');
    for (const id of extra) if (id.startsWith('doc:')) extra.delete(id);
  }
  for (const id of extra) tell.table(wrong(id));
}

const REBUILD = 'rebuild it: lukhas db rebuild';

function wrong(id: string): string {
  return `search document ${id} does not match the log; ${REBUILD}`;
}

async function waitingDocuments(documents: AsyncIterable<{ id: string }>): Promise<Set<string>> {
  const ids = new Set<string>();
  for await (const { id } of documents) ids.add(id);
  return ids;
}

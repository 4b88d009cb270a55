import { setImmediate as yieldToOthers } from 'node:timers/promises';
import { LukhasError } from '../../errors.js';
import type { Ledger, LedgerPages, LinePage, SeqRange } from '../../ledger/index.js';
import { CompactRange } from './compact-range.js';
import { appendPage } from './page-leaves.js';

/** A log whose entries can be read and hashed again. */
export type HashableLog = Pick<Ledger, 'compactRange'> & { readonly pages: Pick<LedgerPages, 'lines'> };

const ENDING = '\n';

/**
 * Hashes entries again from their bytes, on top of the stored tree of those before them, and compares with a root. Yields to
 * the event loop after each page.
 * @param range the entries to hash; a change before it that left the stored hashes alone is not noticed
 * @param root of the first `range.to` entries, RFC 6962
 * @throws LukhasError LEDGER_CORRUPT with the number of the first entry that does not match
 */
export async function rehash(log: HashableLog, range: SeqRange, root: Buffer): Promise<void> {
  const tree = await stored(log, range.from);
  for await (const page of log.pages.lines(range, ENDING)) {
    await append(log, tree, page);
    await yieldToOthers();
  }
  if (!tree.root().equals(root)) throw mismatchAt(await firstMismatch(log, range));
}

async function append(log: HashableLog, tree: CompactRange, page: LinePage): Promise<void> {
  try {
    appendPage(tree, page, ENDING);
  } catch (error) {
    if (!(error instanceof LukhasError)) throw error;
    // The page has the wrong number of lines: find the entry that is not one line.
    throw mismatchAt(await firstOf(log, await stored(log, page.from), page));
  }
}

/** A second pass, only after a mismatch: compares the computed tree with the stored one, page by page. */
async function firstMismatch(log: HashableLog, range: SeqRange): Promise<number> {
  const tree = await stored(log, range.from);
  for await (const page of log.pages.lines(range, ENDING)) {
    const before = new CompactRange(tree.size, tree.hashes);
    appendPage(tree, page, ENDING);
    if (!(await isStored(log, tree))) return firstOf(log, before, page);
    await yieldToOthers();
  }
  return range.from;
}

async function firstOf(log: HashableLog, tree: CompactRange, { from, to }: LinePage): Promise<number> {
  for (let seq = from; seq < to; seq++) {
    for await (const line of log.pages.lines({ from: seq, to: seq + 1 }, ENDING)) appendPage(tree, line, ENDING);
    if (!(await isStored(log, tree))) return seq;
  }
  return from;
}

async function stored(log: HashableLog, size: number): Promise<CompactRange> {
  return new CompactRange(size, (await log.compactRange(size)).hashes);
}

async function isStored(log: HashableLog, tree: CompactRange): Promise<boolean> {
  const { hashes } = await log.compactRange(tree.size);
  return tree.hashes.every((hash, i) => hashes[i]?.equals(hash) === true);
}

function mismatchAt(seq: number): LukhasError {
  return new LukhasError(
    'LEDGER_CORRUPT',
    `Entry ${seq} of the log, or one that shares a tree node with it, was changed after it was recorded. Nothing was signed.`,
    { suggestions: ['Run `lukhas verify` to see what is damaged, keep the file as it is, and restore a backup.'] },
  );
}

/** Brings the index of a log up to date; started by search.ts as a thread of its own. */
import { openLedger } from '../ledger/sqlite/index.js';
import { answerInThread } from '../threads/index.js';
import { catchUp } from './indexer.js';
import { readPages } from './pages.js';

await answerInThread(async (path: string) => {
  const ledger = await openLedger(path);
  try {
    await catchUp(ledger, await readPages());
  } finally {
    await ledger.close();
  }
});

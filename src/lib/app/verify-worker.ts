/** Verifies a log; started by verify-in-thread.ts as a thread of its own. */
import { answerInThread } from '../threads/index.js';
import type { VerifyTask } from './verify-in-thread.js';

await answerInThread(async ({ path, summaries }: VerifyTask) => {
  if (summaries) {
    const { verifyAll } = await import('./verification.js');
    return verifyAll(path);
  }
  const { verifyDatabase } = await import('../ledger/verify/database.js');
  return verifyDatabase(path);
});

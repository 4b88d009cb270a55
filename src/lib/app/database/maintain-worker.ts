/** Maintains a database; started by maintain-in-thread.ts as a thread of its own. */
import { systemClock } from '../../clock.js';
import { openLedger } from '../../ledger/sqlite/index.js';
import { answerInThread } from '../../threads/index.js';
import { maintain } from './maintain.js';
import type { MaintainTask } from './maintain-in-thread.js';

await answerInThread(async ({ path, by, retention }: MaintainTask) => {
  const ledger = await openLedger(path, { mustExist: true });
  try {
    return await maintain({ ledger, clock: systemClock(), by, retention });
  } finally {
    await ledger.close();
  }
});

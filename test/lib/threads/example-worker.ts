/** What threads do in the tests of in-thread.ts. */
import { LukhasError } from '../../../src/lib/errors.js';
import { answerInThread } from '../../../src/lib/threads/answer.js';

export interface Example {
  does: 'add' | 'refuse' | 'fail' | 'exit' | 'grow' | 'count';
  numbers?: number[];
  /** Where `count` counts, without an end. */
  counter?: Int32Array;
}

await answerInThread(async ({ does, numbers = [], counter }: Example) => {
  switch (does) {
    case 'add':
      return numbers.reduce((sum, n) => sum + n, 0);
    case 'refuse':
      throw new LukhasError('LEDGER_CORRUPT', 'entry 3 is damaged', { suggestions: ['Restore a backup.'], exit: 9 });
    case 'fail':
      throw new TypeError('not a thing of the kind');
    case 'exit':
      process.exit(3);
      break;
    case 'grow': {
      const kept: object[] = [];
      for (;;) kept.push({ kept: kept.length });
    }
    case 'count':
      for (;;) Atomics.add(counter as Int32Array, 0, 1);
  }
});

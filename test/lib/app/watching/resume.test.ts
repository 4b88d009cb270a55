import { expect } from 'chai';
import fc from 'fast-check';
import type { Ledger } from '../../../../src/lib/ledger/ledger.js';
import { cases } from '../../../cases.js';
import { draft, happened, looked } from '../../../daemon/sse/daemon.js';
import { until } from '../../../until.js';
import { idsIn, stage } from './stage.js';

const SUBJECTS = ['c1', 'c2', 'j1'];

/** `write`: so many commits; `cut`: no connection while as many are made; `restart`: the daemon is another process then. */
const STEP = fc.record({
  type: fc.constantFrom('write' as const, 'write' as const, 'cut' as const, 'restart' as const),
  count: fc.integer({ min: 0, max: 12 }),
});

async function write(ledger: Ledger, made: number): Promise<void> {
  const subject = SUBJECTS[made % SUBJECTS.length]!;
  if (made % 2 === 0 && subject.startsWith('c')) return looked(ledger, subject, made);
  const kind = subject.startsWith('j') ? 'job.running' : 'canary.held';
  await ledger.commit({ events: [draft(kind, subject), draft('gate.changed', 'gate:prod')] });
}

describe('following a daemon that restarts and cannot always be reached', () => {
  it('tells every event exactly once, in order, whatever happens in between', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(STEP, { minLength: 3, maxLength: 12 }), async (steps) => {
        const on = await stage('a daemon', async (ledger) => {
          for (const id of SUBJECTS) await happened(ledger, id, id.startsWith('j') ? 'job.queued' : 'canary.requested');
        });
        try {
          const before = (await idsIn(on.ledger)).length;
          on.follow();
          await until(() => on.watching.connection.state === 'live');
          let made = 0;
          const writes = async (count: number) => {
            for (let i = 0; i < count; i++) await write(on.ledger, made++);
          };
          for (const { type, count } of steps) {
            if (type === 'write') await writes(count);
            else if (type === 'cut') await on.cut(() => writes(count));
            else await on.restart(() => writes(count));
          }
          await writes(1);
          const ids = await idsIn(on.ledger);
          await until(() => on.told.at(-1)?.id === ids.at(-1));
          expect(on.told.map(({ id }) => id)).to.deep.equal(ids.slice(before));
        } finally {
          await on.close();
        }
      }),
      { numRuns: cases(60) },
    );
  });
});

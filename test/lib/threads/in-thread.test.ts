import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import { LukhasError } from '../../../src/lib/errors.js';
import { inThread } from '../../../src/lib/threads/in-thread.js';
import { until } from '../../until.js';
import { refusal } from '../refusal.js';
import type { Example } from './example-worker.js';

/** Reads of a counter that stands still, one after the other, after which its thread counts as ended. */
const STILL = 20;

describe('work in a thread', () => {
  const run = (data: Example, signal?: AbortSignal) =>
    inThread<number>({ name: 'example-worker', beside: import.meta.url, data, signal, heapMiB: 32 });

  it('gives its result', async () => {
    expect(await run({ does: 'add', numbers: [1, 2, 3] })).to.equal(6);
  });

  it('gives an error that was thrown on purpose with all that a user is told', async () => {
    const error = await refusal(run({ does: 'refuse' }));
    expect(error).to.be.instanceOf(LukhasError);
    const { code, message, suggestions, exit } = error;
    expect({ code, message, suggestions, exit }).to.deep.equal({
      code: 'LEDGER_CORRUPT',
      message: 'entry 3 is damaged',
      suggestions: ['Restore a backup.'],
      exit: 9,
    });
  });

  it('gives any other error as it is', async () => {
    expect(await failure(run({ does: 'fail' })))
      .to.be.instanceOf(TypeError)
      .with.property('message', 'not a thing of the kind');
  });

  it('fails when the thread ends without an answer', async () => {
    expect((await failure(run({ does: 'exit' }))).message).to.equal(
      'the thread example-worker ended with code 3 and no answer',
    );
  });

  it('fails when the thread needs more memory than it may have, and nothing else does', async () => {
    expect(await failure(run({ does: 'grow' }))).to.have.property('code', 'ERR_WORKER_OUT_OF_MEMORY');
    expect(await run({ does: 'add', numbers: [1] })).to.equal(1);
  });

  it('ends with its signal', async () => {
    const counter = new Int32Array(new SharedArrayBuffer(4));
    const stop = new AbortController();
    const running = failure(run({ does: 'count', counter }, stop.signal));
    await until(() => Atomics.load(counter, 0) !== 0);
    const reason = new Error('nobody waits');
    stop.abort(reason);
    expect(await running).to.equal(reason);
    // A thread that went on would count.
    await until(async () => {
      const before = Atomics.load(counter, 0);
      for (let i = 0; i < STILL; i++) {
        await wait(5);
        if (Atomics.load(counter, 0) !== before) return false;
      }
      return true;
    });
  });

  it('does not begin when its signal has aborted', async () => {
    const counter = new Int32Array(new SharedArrayBuffer(4));
    const reason = new Error('too late');
    expect(await failure(run({ does: 'count', counter }, AbortSignal.abort(reason)))).to.equal(reason);
  });
});

async function failure(work: Promise<unknown>): Promise<Error> {
  return work.then(
    () => expect.fail('it resolved'),
    (error: Error) => error,
  );
}

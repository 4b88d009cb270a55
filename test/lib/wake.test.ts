import { getEventListeners } from 'node:events';
import { expect } from 'chai';
import fc from 'fast-check';
import { Wake } from '../../src/lib/wake.js';
import { ManualClock, settled } from './manual-clock.js';

describe('a loop that sleeps', () => {
  let clock: ManualClock;
  let wake: Wake;
  beforeEach(() => {
    clock = new ManualClock(1000);
    wake = new Wake(clock);
  });

  /** Whether a sleep is over. */
  function sleeping(at: number, signal?: AbortSignal) {
    const state = { over: false };
    void wake.sleepUntil(at, signal).then(() => {
      state.over = true;
    });
    return state;
  }

  it('sleeps until its time and no longer', async () => {
    const state = sleeping(1500);
    await clock.advance(499);
    expect(state.over).to.equal(false);
    await clock.advance(1);
    expect(state.over).to.equal(true);
    const late = sleeping(1500);
    await settled();
    expect([late.over, clock.sleeping]).to.deep.equal([true, 0]);
  });

  it('sleeps for longer than a timer of Node.js can run', async () => {
    const state = sleeping(1000 + 2 ** 33);
    expect(clock.longest).to.be.within(1, 2 ** 31 - 1);
    await clock.advance(clock.longest);
    expect([state.over, clock.sleeping]).to.deep.equal([false, 1]);
    clock.time += 2 ** 33;
    await clock.advance(0);
    expect(state.over).to.equal(true);
  });

  it('is woken before its time, and leaves no timer', async () => {
    const state = sleeping(Number.POSITIVE_INFINITY);
    await settled();
    expect([state.over, clock.sleeping]).to.deep.equal([false, 1]);
    wake.wake();
    await settled();
    expect([state.over, clock.sleeping]).to.deep.equal([true, 0]);
    const next = sleeping(2000);
    await settled();
    expect(next.over).to.equal(false);
  });

  it('is not put to sleep by what came while it was busy: that wake-up counts for the next sleep, once', async () => {
    wake.wake();
    wake.wake();
    await wake.sleepUntil(Number.POSITIVE_INFINITY);
    const next = sleeping(Number.POSITIVE_INFINITY);
    await settled();
    expect(next.over).to.equal(false);
  });

  it('is woken at the earliest time that anybody asked for, asleep or not', async () => {
    wake.wake(1300);
    const state = sleeping(5000);
    wake.wake(1400);
    wake.wake(1200);
    await clock.advance(199);
    expect(state.over).to.equal(false);
    await clock.advance(1);
    expect(state.over).to.equal(true);
  });

  it('keeps its timer when it is asked for later than it wakes anyway', async () => {
    sleeping(2000);
    for (let n = 0; n < 100; n++) wake.wake(2000 + n);
    await settled();
    expect(clock.begun).to.equal(1);
  });

  it('ends with the signal, before and during a sleep, and leaves nothing on it', async () => {
    const stop = new AbortController();
    const state = sleeping(2000, stop.signal);
    await settled();
    expect(state.over).to.equal(false);
    stop.abort();
    await settled();
    expect([state.over, clock.sleeping]).to.deep.equal([true, 0]);
    await wake.sleepUntil(2000, stop.signal);
    const long = new AbortController();
    wake.wake();
    await wake.sleepUntil(2000, long.signal);
    expect(getEventListeners(long.signal, 'abort')).to.have.length(0);
    expect(getEventListeners(stop.signal, 'abort')).to.have.length(0);
  });

  it('sees everything that is put before it, however puts and rounds meet', async () => {
    const step = fc.oneof(fc.constant('put' as const), fc.constant('turn' as const), fc.constant('put later' as const));
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.integer({ min: 0, max: 3 }), async (steps, slow) => {
        wake = new Wake(clock);
        const stop = new AbortController();
        let [put, seen] = [0, 0];
        const loop = (async () => {
          while (!stop.signal.aborted) {
            const now = put;
            for (let n = 0; n < slow; n++) await Promise.resolve();
            seen = now;
            await wake.sleepUntil(Number.POSITIVE_INFINITY, stop.signal);
          }
        })();
        const add = () => {
          put++;
          wake.wake();
        };
        for (const what of steps) {
          if (what === 'put') add();
          else if (what === 'put later') queueMicrotask(add);
          else await Promise.resolve();
        }
        await settled();
        expect(seen).to.equal(put);
        stop.abort();
        await loop;
      }),
      { numRuns: 200 },
    );
  });
});

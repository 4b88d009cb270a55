import { expect } from 'chai';
import { Silence } from '../../../../src/lib/app/watching/silence.js';
import { ManualClock } from '../../manual-clock.js';

describe('silence on a connection', () => {
  it('is borne while something is heard in time, and not longer', async () => {
    const clock = new ManualClock();
    const silence = new Silence(clock, 40_000);
    for (let s = 0; s < 100; s++) {
      await clock.advance(1000);
      if (s % 15 === 0) silence.heard();
    }
    expect(silence.signal.aborted).to.equal(false);
    for (let s = 0; s < 41; s++) await clock.advance(1000);
    expect(silence.signal.reason).to.match(/nothing was heard for/);
    silence.end();
  });

  it('is not believed after this process was stopped, however lately something was heard', async () => {
    const clock = new ManualClock();
    const silence = new Silence(clock, 40_000);
    await clock.advance(1000);
    await clock.advance(30_000);
    expect(silence.signal.reason).to.match(/asleep/);
    silence.end();
  });

  it('leaves nothing that waits behind', async () => {
    const clock = new ManualClock();
    const silence = new Silence(clock, 40_000);
    expect(clock.sleeping).to.equal(1);
    silence.end();
    expect(clock.sleeping).to.equal(0);
  });
});

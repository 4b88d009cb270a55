import { expect } from 'chai';
import fc from 'fast-check';
import { nextDue } from '../../../src/lib/canary/schedule.js';
import { policy } from '../judge/looks.js';
import { START } from './harness.js';

const policies = fc
  .record({
    intervalSeconds: fc.oneof(
      fc.constantFrom(0.1, 1, 5),
      fc.integer({ min: 100, max: 60_000 }).map((ms) => ms / 1000),
      fc.double({ min: 0.1, max: 60, noNaN: true }),
    ),
    looks: fc.double({ min: 2, max: 50, noNaN: true }),
    longer: fc.double({ min: 1, max: 3, noNaN: true }),
  })
  .map(({ intervalSeconds, looks, longer }) => {
    const windowSeconds = intervalSeconds * looks;
    return policy({
      targets: { max_error_rate: 0.02 },
      intervalSeconds,
      windowSeconds,
      onInconclusive: 'extend',
      maxWindowSeconds: windowSeconds * longer,
    });
  });

/** The clocks that ask have whole milliseconds. */
const elapsed = fc.integer({ min: -1000, max: 10_000_000 });

describe('the next look', () => {
  it('is after the last one, at most an interval later', () => {
    fc.assert(
      fc.property(policies, elapsed, (p, ms) => {
        const due = nextDue(p, START, START + ms);
        expect(due).to.be.greaterThan(START + ms);
        expect(due - (START + ms)).to.be.at.most(p.intervalSeconds * 1000 + 1);
      }),
      { numRuns: 2000 },
    );
  });

  it('always moves on when taken at the millisecond it is due', () => {
    fc.assert(
      fc.property(policies, (p) => {
        let at = START;
        let looks = 0;
        for (; looks < 500 && at < START + p.maxWindowSeconds * 1000; looks++) at = Math.ceil(nextDue(p, START, at));
        // Whole intervals, and the two ends of the window.
        expect(looks).to.be.at.most(Math.ceil(p.maxWindowSeconds / p.intervalSeconds) + 2);
      }),
      { numRuns: 300 },
    );
  });

  it('falls on whole intervals, on the end of the window and on its latest end', () => {
    const p = policy({
      targets: { max_error_rate: 0.02 },
      intervalSeconds: 5,
      windowSeconds: 12,
      onInconclusive: 'extend',
      maxWindowSeconds: 18,
    });
    const times = [0];
    for (let i = 0; i < 6; i++) times.push((nextDue(p, START, START + times[i]! * 1000) - START) / 1000);
    expect(times).to.deep.equal([0, 5, 10, 12, 15, 18, 20]);
    // A late look does not move the others.
    expect(nextDue(p, START, START + 6300)).to.equal(START + 10_000);
  });
});

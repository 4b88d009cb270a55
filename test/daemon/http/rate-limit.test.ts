import { expect } from 'chai';
import fc from 'fast-check';
import { type RateLimit, RateLimiter } from '../../../src/daemon/http/rate-limit.js';
import { HttpError } from '../../../src/daemon/http/route.js';

describe('the limit of requests a client', () => {
  let now: number;
  beforeEach(() => {
    now = 1_764_000_000_000;
  });
  const clock = { now: () => now };

  /** 0 when it is let in; else after how many seconds to ask again. */
  function ask(limiter: RateLimiter, client = 'a'): number {
    try {
      limiter.admit(client);
      return 0;
    } catch (error) {
      expect(error).to.be.instanceOf(HttpError).and.to.have.property('status', 429);
      return Number((error as HttpError).headers['Retry-After']);
    }
  }

  const limits = fc.record({
    bucket: fc.integer({ min: 1, max: 50 }),
    windowMs: fc.integer({ min: 1, max: 100_000 }),
  });
  /** Of the window; mostly in bursts. */
  const pause = fc.oneof(
    { weight: 15, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.constantFrom(0.1, 0.3, 0.7, 0.9, 0.99, 1.5) },
  );
  const steps = fc.array(fc.record({ wait: pause, client: fc.constantFrom('a', 'b') }), {
    minLength: 60,
    maxLength: 150,
  });
  const small = fc.record({ bucket: fc.integer({ min: 1, max: 6 }), windowMs: fc.integer({ min: 1, max: 100_000 }) });

  it('lets no client have more in any time than a bucket and what that time brings, and nobody less', () => {
    fc.assert(
      fc.property(small, steps, (limit, asked) => {
        const limiter = new RateLimiter(limit, clock);
        const admitted: Record<string, number[]> = { a: [], b: [] };
        for (const { wait, client } of asked) {
          now += Math.floor(wait * limit.windowMs);
          const mine = admitted[client]!;
          const most = mine.map((at, i) => limit.bucket + allowance(limit, now - at) - (mine.length - i));
          // What is left is bounded by every moment since which it could have been full.
          const left = Math.min(limit.bucket, ...most);
          const again = ask(limiter, client);
          if (Math.abs(left - 1) > 1e-3) expect(again === 0, `${left} left`).to.equal(left > 1);
          if (again === 0) mine.push(now);
        }
      }),
    );
  });

  it('lets in at the time that it names, and not a second earlier', () => {
    fc.assert(
      fc.property(limits, fc.integer({ min: 0, max: 99 }), (limit, more) => {
        const limiter = new RateLimiter(limit, clock);
        for (let n = 0; n < limit.bucket; n++) expect(ask(limiter)).to.equal(0);
        limiter.charge('a', more);
        const seconds = ask(limiter);
        expect(seconds).to.be.at.least(1);
        if (seconds > 1) {
          now += (seconds - 1) * 1000;
          expect(ask(limiter)).to.equal(1);
          now += 1000;
        } else now += 1000;
        expect(ask(limiter)).to.equal(0);
      }),
    );
  });

  it('never refuses a client that keeps to the pace, its bucket being empty', () => {
    fc.assert(
      fc.property(limits, (limit) => {
        const limiter = new RateLimiter(limit, clock);
        const began = now;
        for (let n = 0; n < limit.bucket; n++) expect(ask(limiter)).to.equal(0);
        for (let n = 1; n < 500; n++) {
          now = began + Math.ceil((n * limit.windowMs) / limit.bucket);
          expect(ask(limiter), `request ${n}`).to.equal(0);
        }
      }),
    );
  });

  it('forgets clients whose buckets are full again, when others come, and the oldest where they are too many', () => {
    const limiter = new RateLimiter({ bucket: 10, windowMs: 1000 }, clock);
    for (let n = 0; n < 12_000; n++) ask(limiter, `client ${n}`);
    expect(limiter.size).to.equal(10_000);
    now += 99;
    ask(limiter, 'still there');
    expect(limiter.size).to.equal(10_000);
    now += 1;
    ask(limiter, 'still there');
    expect(limiter.size).to.equal(1);
  });

  function allowance({ bucket, windowMs }: RateLimit, ms: number): number {
    return (ms * bucket) / windowMs;
  }
});

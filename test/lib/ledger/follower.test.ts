import { expect } from 'chai';
import fc from 'fast-check';
import { systemClock } from '../../../src/lib/clock.js';
import { FeedReader, FOLLOW_MS, LogFollower } from '../../../src/lib/ledger/follower.js';
import type { FeedItem, FeedPosition, Ledger } from '../../../src/lib/ledger/ledger.js';
import { openLedger } from '../../../src/lib/ledger/sqlite/ledger.js';
import { cases } from '../../cases.js';
import { ManualClock, settled } from '../manual-clock.js';
import { finished, withFolder } from './examples.js';

const append = (ledger: Ledger, subject = 'c1') => ledger.commit({ events: [finished(subject)] });

/** The log of this process, and the connection of another one. */
async function withTwo(test: (here: Ledger, elsewhere: Ledger) => Promise<void>): Promise<void> {
  await withFolder(async (path) => {
    const ledgers = [await openLedger(path), await openLedger(path)] as const;
    await test(...ledgers);
    for (const ledger of ledgers) await ledger.close();
  });
}

describe('whoever follows the log', () => {
  it('is told of commits of this process at once, and of those of others within the interval', async () => {
    await withTwo(async (here, elsewhere) => {
      const clock = new ManualClock();
      const told: string[] = [];
      const stop = new LogFollower(here, clock).onChange((by) => told.push(by));
      await clock.advance(FOLLOW_MS);
      told.length = 0;
      await append(here);
      expect(told).to.deep.equal(['here']);
      await clock.advance(FOLLOW_MS);
      await append(elsewhere);
      await clock.advance(FOLLOW_MS - 1);
      expect(told).to.deep.equal(['here']);
      await clock.advance(1);
      expect(told).to.deep.equal(['here', 'elsewhere']);
      for (let n = 0; n < 10; n++) await clock.advance(FOLLOW_MS);
      expect(told).to.have.length(2);
      stop();
    });
  });

  it('is told of what another process committed between its subscription and the first look', async () => {
    await withTwo(async (here, elsewhere) => {
      const clock = new ManualClock();
      let told = 0;
      const stop = new LogFollower(here, clock).onChange(() => told++);
      await append(elsewhere);
      await clock.advance(FOLLOW_MS);
      expect(told).to.equal(1);
      stop();
    });
  });

  it('shares one look, and none is made while nobody listens', async () => {
    await withTwo(async (here, elsewhere) => {
      const clock = new ManualClock();
      let looks = 0;
      const counted = {
        onCommit: (listener: () => void) => here.onCommit(listener),
        dataVersion: () => {
          looks++;
          return here.dataVersion();
        },
      };
      const follower = new LogFollower(counted, clock);
      const told = [0, 0, 0];
      const stops = told.map((_, i) => follower.onChange(() => told[i]!++));
      await clock.advance(FOLLOW_MS);
      for (let n = 0; n < 5; n++) await clock.advance(FOLLOW_MS);
      expect([looks, clock.sleeping]).to.deep.equal([6, 1]);
      stops.pop()?.();
      await append(elsewhere);
      await clock.advance(FOLLOW_MS);
      expect(told).to.deep.equal([2, 2, 1]);
      for (const stop of stops) stop();
      await settled();
      expect(clock.sleeping).to.equal(0);
      await append(here);
      expect([looks, ...told]).to.deep.equal([7, 2, 2, 1]);
      // Somebody else may begin again.
      const again = follower.onChange(() => told[2]!++);
      await clock.advance(FOLLOW_MS);
      await append(elsewhere);
      await clock.advance(FOLLOW_MS);
      expect(told[2]).to.equal(3);
      again();
    });
  });

  it('is told while the log cannot be read, so that it sees why, and at the next look when it asks for that', async () => {
    const clock = new ManualClock();
    let broken = false;
    const log = {
      onCommit: () => () => undefined,
      dataVersion: async () => {
        if (broken) throw new Error('the disk is away');
        return 1;
      },
    };
    const follower = new LogFollower(log, clock);
    let told = 0;
    const stop = follower.onChange(() => told++);
    const looks = async (n: number) => {
      const before = told;
      for (let i = 0; i < n; i++) await clock.advance(FOLLOW_MS);
      return told - before;
    };
    await looks(1);
    expect(await looks(3)).to.equal(0);
    broken = true;
    expect(await looks(3)).to.equal(3);
    broken = false;
    await looks(1);
    expect(await looks(3)).to.equal(0);
    follower.retry();
    expect(await looks(3)).to.equal(1);
    stop();
  });
});

describe('a reader of the feed', () => {
  const START: FeedPosition = { seq: 0, row: 1 };
  const subjects = (items: readonly FeedItem[]) =>
    items.map((item) => (item.type === 'event' ? item.event.subject : ''));

  it('gives everything once and in order, whoever commits, whatever fails meanwhile', async () => {
    const step = fc.constantFrom('here', 'elsewhere', 'tick', 'break', 'mend', 'refuse');
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), (steps) =>
        withTwo(async (here, elsewhere) => {
          const clock = new ManualClock();
          const given: string[] = [];
          let [broken, refuse, errors] = [false, false, 0];
          const follower = new LogFollower(here, clock);
          const leave = follower.onChange(() => undefined);
          const reader = new FeedReader({
            ledger: { feed: (...asked) => (broken ? Promise.reject(new Error('away')) : here.feed(...asked)) },
            follower,
            from: START,
            onItems: async (items) => {
              await Promise.resolve();
              if (refuse) throw new Error('not now');
              given.push(...subjects(items));
            },
            onError: () => errors++,
          });
          let made = 0;
          await append(elsewhere, `c${made++}`);
          // Others are told of it before the reader listens.
          await clock.advance(FOLLOW_MS);
          reader.start();
          for (const what of steps) {
            if (what === 'here' || what === 'elsewhere') await append(what === 'here' ? here : elsewhere, `c${made++}`);
            else if (what === 'tick') await clock.advance(FOLLOW_MS);
            else if (what === 'break') broken = true;
            else if (what === 'refuse') refuse = true;
            else [broken, refuse] = [false, false];
          }
          [broken, refuse] = [false, false];
          await clock.advance(FOLLOW_MS);
          expect(given).to.deep.equal(Array.from({ length: made }, (_, i) => `c${i}`));
          await reader.stop();
          leave();
          const seen = errors;
          await append(here, 'after');
          await clock.advance(FOLLOW_MS);
          expect([given.length, errors, clock.sleeping]).to.deep.equal([made, seen, 0]);
        }),
      ),
      { numRuns: cases(200, 20) },
    );
  });

  it('has given what was committed before it is asked to catch up, page after page', async () => {
    await withTwo(async (here, elsewhere) => {
      const follower = new LogFollower(here, systemClock());
      const pages: number[] = [];
      const onItems = (items: readonly FeedItem[]): void => void pages.push(items.length);
      const reader = new FeedReader({ ledger: here, follower, from: START, onItems, onError: expect.fail });
      await Promise.all(Array.from({ length: 1100 }, () => append(elsewhere)));
      await reader.catchUp();
      expect(pages).to.deep.equal([...Array<number>(8).fill(128), 76]);
    });
  });

  it('gives nothing once it is stopped, not even what it is reading', async () => {
    await withTwo(async (here) => {
      const onItems = () => expect.fail('given');
      const follower = new LogFollower(here, systemClock());
      const reader = new FeedReader({ ledger: here, follower, from: START, onItems, onError: expect.fail });
      await append(here);
      const caughtUp = reader.catchUp();
      await reader.stop();
      await caughtUp;
    });
  });
});

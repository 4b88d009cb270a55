import { expect } from 'chai';
import { Turns, turn } from '../../src/lib/turns.js';

/** Counts how often the event loop goes round while the work is done. */
async function withRounds(work: (round: () => number) => Promise<void>): Promise<void> {
  let rounds = 0;
  let next = setImmediate(function count() {
    rounds++;
    next = setImmediate(count);
  });
  try {
    await work(() => rounds);
  } finally {
    clearImmediate(next);
  }
}

function busy(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

describe('turns', () => {
  it('lets one go on in each round of the event loop, in order, of all that wait in the process', () =>
    withRounds(async (round) => {
      const went: [who: number, round: number][] = [];
      await Promise.all([0, 1, 2, 3].map((who) => turn().then(() => went.push([who, round()]))));
      expect(went.map(([who]) => who)).to.deep.equal([0, 1, 2, 3]);
      expect(new Set(went.map(([, at]) => at)).size).to.equal(4);
    }));

  it('lets the slices of several users follow each other, never two in a round', () =>
    withRounds(async (round) => {
      const users = [new Turns(), new Turns(), new Turns()];
      busy(6);
      const rounds = await Promise.all(users.map((user) => user.next().then(round)));
      expect(new Set(rounds).size).to.equal(3);
    }));

  it('looks for new connections several times after long work, since each look accepts one', () =>
    withRounds(async (round) => {
      await turn();
      busy(5);
      const before = round();
      await turn();
      expect(round() - before).to.be.at.least(20);
    }));
});

import { expect } from 'chai';
import { OneAtATime } from '../../src/daemon/one-at-a-time.js';

const until = () => {
  let end: (error?: Error) => void = () => undefined;
  const ended = new Promise<string>((resolve, reject) => {
    end = (error) => (error === undefined ? resolve('done') : reject(error));
  });
  return { ended, end };
};

describe('work that is done one at a time', () => {
  it('begins in order, each when the one before has ended, well or not', async () => {
    const turns = new OneAtATime();
    const { signal } = new AbortController();
    const begun: number[] = [];
    const works = [until(), until(), until()];
    const results = works.map(({ ended }, i) =>
      turns
        .run(() => {
          begun.push(i);
          return ended;
        }, signal)
        .catch((error: Error) => error.message),
    );
    const next = () => new Promise((resolve) => setImmediate(resolve));
    await next();
    expect(begun).to.deep.equal([0]);
    works[0]?.end(new Error('failed'));
    await next();
    expect(begun).to.deep.equal([0, 1]);
    works[1]?.end();
    works[2]?.end();
    expect(await Promise.all(results)).to.deep.equal(['failed', 'done', 'done']);
  });

  it('lets go of who leaves while waiting, and never begins that work', async () => {
    const turns = new OneAtATime();
    const first = until();
    const gone = new AbortController();
    const running = turns.run(() => first.ended, new AbortController().signal);
    let begun = false;
    const waiting = turns.run(async () => {
      begun = true;
    }, gone.signal);
    gone.abort(new Error('gone'));
    expect(await waiting.catch((error: Error) => error.message)).to.equal('gone');
    first.end();
    await running;
    expect(await turns.run(async () => 'next', new AbortController().signal)).to.equal('next');
    expect(begun).to.equal(false);
  });
});

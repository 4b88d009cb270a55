import { expect } from 'chai';
import { Shared } from '../../../src/lib/threads/shared.js';

describe('work that is done once for all who ask', () => {
  let runs: { signal: AbortSignal; resolve(value: string): void; reject(error: Error): void }[];
  let shared: Shared<string>;

  beforeEach(() => {
    runs = [];
    shared = new Shared((signal) => new Promise((resolve, reject) => runs.push({ signal, resolve, reject })));
  });

  const outcome = (work: Promise<string>) => work.catch((error: Error) => error.message);

  it('is one run while it runs, and a new one after that', async () => {
    const both = [shared.join(), shared.join()];
    expect(runs).to.have.length(1);
    runs[0]?.resolve('done');
    expect(await Promise.all(both)).to.deep.equal(['done', 'done']);
    const again = shared.join();
    runs[1]?.resolve('again');
    expect(await again).to.equal('again');
  });

  it('gives everybody its error, and then begins anew', async () => {
    const both = [outcome(shared.join()), outcome(shared.join())];
    runs[0]?.reject(new Error('broken'));
    expect(await Promise.all(both)).to.deep.equal(['broken', 'broken']);
    void outcome(shared.join());
    expect(runs).to.have.length(2);
  });

  it('goes on for those who stay, and stops when all have gone', async () => {
    const [one, two] = [new AbortController(), new AbortController()];
    const first = outcome(shared.join(one.signal));
    const second = outcome(shared.join(two.signal));
    one.abort(new Error('one has gone'));
    expect(await first).to.equal('one has gone');
    expect(runs[0]?.signal.aborted).to.equal(false);
    two.abort(new Error('two has gone'));
    expect(await second).to.equal('two has gone');
    expect(runs[0]?.signal.aborted).to.equal(true);
  });

  it('is not joined once it was stopped', async () => {
    const gone = new AbortController();
    const first = outcome(shared.join(gone.signal));
    gone.abort(new Error('gone'));
    await first;
    const second = shared.join();
    runs[0]?.reject(new Error('stopped'));
    runs[1]?.resolve('done');
    expect(await second).to.equal('done');
  });

  it('does not begin for one who has gone', async () => {
    expect(await outcome(shared.join(AbortSignal.abort(new Error('gone'))))).to.equal('gone');
    expect(runs).to.have.length(0);
  });
});

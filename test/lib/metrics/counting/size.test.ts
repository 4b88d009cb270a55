import { expect } from 'chai';
import { errors, looks, requests } from './given.js';

describe('more series than can be kept', () => {
  const many = (count: number, label = (i: number) => String(i)) =>
    Array.from({ length: count }, (_, i) => requests(i, { path: label(i) }));

  it('are no reading, and nothing of them is stored', () => {
    const [count] = looks([[...many(30_000, (i) => `${i}${'x'.repeat(300)}`), errors(0)]]);
    expect(count!.reading.errors).to.deep.include({ state: 'invalid' });
    expect(count!.reading.errors)
      .to.have.property('detail')
      .that.matches(/^30,001 series of 1 processes are selected, 11 MiB/);
    expect(JSON.stringify(count!.cursor)).to.have.length.below(1000);
  });

  it('are few where their labels are long', () => {
    const [count] = looks([[...many(100, (i) => `${i}${'x'.repeat(100_000)}`), errors(0)]]);
    expect(count!.reading.errors).to.include({ state: 'invalid' });
  });

  it('may come in many checks, where a label has a value for each request', () => {
    const name = (at: number) => (i: number) => `${at}-${i}-${'x'.repeat(10_000)}`;
    const all = looks(Array.from({ length: 12 }, (_, at) => [requests(500), ...many(100, name(at)), errors(0)]));
    const states = all.map(({ reading }) => reading.errors!.state);
    expect(states.slice(0, 3)).not.to.include('invalid');
    expect(states.at(-1)).to.equal('invalid');
    expect(JSON.stringify(all.at(-1)!.cursor)).to.have.length.below(9_500_000);
  });

  it('are none that are read and not selected, nor a page of a large service', () => {
    const [, second] = looks([
      [...many(10_000), errors(0)],
      [...many(10_000), requests(7, { path: 'new' }), errors(0)],
    ]);
    expect(second!.reading.errors).to.deep.equal({ state: 'ok', bad: 0, total: 7 });
  });
});

import { expect } from 'chai';
import { nearest } from '../../../src/lib/input/problems.js';

describe('the word that was meant', () => {
  const known = ['db', 'policy', 'source', 'hooks', 'tasks', 'jobs'];

  it('is one that is near for its length', () => {
    const meant = { sorce: 'source', 'po-licy': 'policy', hoks: 'hooks', job: 'jobs', bd: null, dv: 'db' };
    for (const [word, guess] of Object.entries(meant)) expect(nearest(word, known), word).to.equal(guess);
  });

  it('is not guessed from next to nothing', () => {
    for (const word of ['a', 'b', 'xy', 'zzz', 'metrics']) expect(nearest(word, known), word).to.equal(null);
  });
});

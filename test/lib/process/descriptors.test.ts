import { expect } from 'chai';
import {
  descriptorLimit,
  hasDescriptors,
  keepSpareDescriptors,
  openDescriptors,
  releaseSpareDescriptors,
  waitForDescriptors,
} from '../../../src/lib/process/descriptors.js';

/** More than any process may have. */
const TOO_MANY = (descriptorLimit() ?? 1_000_000) + 1;

describe('file descriptors in reserve', () => {
  before(function () {
    if (descriptorLimit() === null || TOO_MANY > 200_000) this.skip();
  });
  afterEach(() => releaseSpareDescriptors());

  it('are not counted as open, and are given back', () => {
    // What earlier tests have left to be closed is closed by other threads, at any time.
    for (;;) {
      const before = openDescriptors();
      expect(keepSpareDescriptors(8)).to.equal(true);
      const kept = openDescriptors();
      releaseSpareDescriptors();
      if (openDescriptors() !== before) continue;
      expect(kept).to.equal(before);
      return;
    }
  });

  it('are given away where there are no others, and taken again', () => {
    keepSpareDescriptors(8);
    expect(hasDescriptors(1)).to.equal(true);
    expect(hasDescriptors(TOO_MANY)).to.equal(false);
    // The attempt has let go of everything that it took.
    expect(keepSpareDescriptors()).to.equal(true);
    expect(hasDescriptors(8)).to.equal(true);
  });

  it('are waited for no longer than asked, nor after an abort', async () => {
    expect(await waitForDescriptors(1, 60_000)).to.equal(true);
    expect(await waitForDescriptors(TOO_MANY, 0)).to.equal(false);
    expect(await waitForDescriptors(TOO_MANY, 60_000, AbortSignal.abort())).to.equal(false);
  });
});

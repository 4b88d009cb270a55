import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { sha256 } from '../../src/cockpit/log/sha256.js';

describe('SHA-256 in the page', () => {
  it('is that of Node.js at every length around the ends of blocks', () => {
    for (let length = 0; length < 260; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 31 + length) % 256);
      expect(Buffer.from(sha256(bytes)).toString('hex'), `${length} bytes`).to.equal(
        createHash('sha256').update(bytes).digest('hex'),
      );
    }
  });

  it('is that of Node.js for a megabyte', () => {
    const bytes = Uint8Array.from({ length: 1_000_003 }, (_, i) => (i * i) % 251);
    expect(Buffer.from(sha256(bytes)).toString('hex')).to.equal(createHash('sha256').update(bytes).digest('hex'));
  });
});

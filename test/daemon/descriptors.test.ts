import { readdirSync, readlinkSync } from 'node:fs';
import { devNull } from 'node:os';
import { expect } from 'chai';
import fc from 'fast-check';
import { connectionsWithin, DescriptorWatch } from '../../src/daemon/descriptors.js';
import { openDescriptors } from '../../src/lib/process/descriptors.js';

/** Descriptors of this process that are open on nothing, as spare ones are: other threads of the run open and close files meanwhile. */
function openOnNothing(): number {
  if (openDescriptors() === null) return 0;
  return readdirSync('/proc/self/fd').filter((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`) === devNull;
    } catch {
      return false; // closed meanwhile
    }
  }).length;
}

describe('connections that a limit of open files leaves room for', () => {
  it('never take all that is free, and are never none', () => {
    const positive = fc.nat({ max: 1_000_000 });
    fc.assert(
      fc.property(positive, positive, fc.integer({ min: 0, max: 64 }), (limit, open, concurrency) => {
        const connections = connectionsWithin(limit, open, concurrency);
        expect(connections).to.be.at.least(1);
        const free = limit - open;
        if (free > 2) expect(free - connections).to.be.at.least(Math.floor(free / 2) > 60 ? 60 : Math.floor(free / 2));
      }),
    );
  });

  it('are as many as before where the system does not say', () => {
    expect(connectionsWithin(null, 30, 2)).to.equal(Number.POSITIVE_INFINITY);
    expect(connectionsWithin(1024, null, 2)).to.equal(Number.POSITIVE_INFINITY);
  });

  it('are told once at the start when more are configured', () => {
    const said: string[] = [];
    const options = { concurrency: 2, say: (line: string) => void said.push(line), onError: () => undefined };
    const before = openOnNothing();
    for (const [maxConnections, expected] of [
      [10, 0],
      [1_000_000_000, 1],
    ] as const) {
      const watch = new DescriptorWatch({ ...options, maxConnections });
      const connections = watch.begin(true);
      watch.stop();
      expect(connections).to.be.at.most(maxConnections);
      expect(said).to.have.length(openDescriptors() === null ? 0 : expected);
    }
    if (openDescriptors() !== null)
      expect(said[0]).to.match(/^lukhas: at most \d+ connections instead of 1000000000: .* \d+ files open/);
    expect(openOnNothing()).to.equal(before);
  });
});

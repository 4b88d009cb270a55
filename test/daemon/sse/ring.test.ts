import { expect } from 'chai';
import fc from 'fast-check';
import type { Frame } from '../../../src/daemon/sse/frames.js';
import { Ring } from '../../../src/daemon/sse/ring.js';

const START = { seq: 3, row: 1 };

function frame(seq: number, row: number, bytes: number): Frame {
  return { position: { seq, row }, topics: [], bytes: Buffer.alloc(bytes) };
}

/** Whether each step is an observation, whether anybody is told, and how long it is. */
const STEPS = fc.array(fc.record({ row: fc.boolean(), told: fc.boolean(), bytes: fc.integer({ min: 1, max: 40 }) }), {
  maxLength: 60,
});

describe('the ring of frames', () => {
  it('finds what comes after each place it holds, and holds no place whose next frames are gone', () => {
    fc.assert(
      fc.property(STEPS, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 300 }), (steps, events, bytes) => {
        const ring = new Ring(events, bytes, START);
        const places = [START];
        const frames: Frame[] = [];
        for (const step of steps) {
          const { seq, row } = places.at(-1)!;
          const place = step.row ? { seq, row: row + 1 } : { seq: seq + 1, row };
          places.push(place);
          if (step.told) frames.push(frame(place.seq, place.row, step.bytes));
          if (step.told) ring.push(frames.at(-1)!);
          else ring.passed(place);
        }
        const kept = frames.slice(frames.length - ring.size);
        expect(ring.size).to.be.at.most(events);
        expect(ring.bytes).to.equal(kept.reduce((sum, f) => sum + f.bytes.length, 0));
        expect(ring.size === 0 || ring.size === 1 || ring.bytes <= bytes).to.equal(true);
        for (const place of places) {
          const later = frames.filter(({ position: p }) => p.seq + p.row > place.seq + place.row);
          if (!ring.holds(place)) {
            expect(later.length).to.be.greaterThan(kept.length);
            continue;
          }
          const found: (Frame | undefined)[] = [];
          for (let i = ring.after(place); i < ring.next; i++) found.push(ring.at(i));
          expect(found).to.deep.equal(later);
        }
        expect(ring.head).to.deep.equal(places.at(-1));
        expect(ring.holds({ seq: ring.head.seq + 1, row: ring.head.row })).to.equal(false);
      }),
      { numRuns: 300 },
    );
  });

  it('keeps the newest frame however long it is', () => {
    const ring = new Ring(10, 100, START);
    ring.push(frame(4, 1, 60));
    ring.push(frame(5, 1, 500));
    expect([ring.size, ring.bytes]).to.deep.equal([1, 500]);
  });
});

import fc from 'fast-check';
import { type ArmCursor, countArm } from '../../../../src/lib/metrics/counting/index.js';
import { cases } from '../../../cases.js';
import { type Behaviour, signalsOf, type World } from './service.js';
import { behaviour, checkHistory, type Reads } from './truth.js';

/** The counters of each page, or what a Prometheus has of it. */
function counting(given: Behaviour, world: World): Reads {
  const signals = signalsOf(given);
  let cursor: ArmCursor | null = null;
  return {
    shown: (place) => place,
    look(i) {
      const { at, targets } = world.look(i);
      const found = countArm({ at, targets, staleBefore: at - 60_000 }, cursor, signals);
      cursor = JSON.parse(JSON.stringify(found.cursor)) as ArmCursor;
      return { ...found, cursor, held: null };
    },
  };
}

describe('what is counted', () => {
  it('differs from what happened by no more than what could not be seen', () => {
    const property = fc.property(behaviour, (given) => checkHistory(given, counting));
    fc.assert(property, { numRuns: cases(5000), includeErrorInReport: true });
  }).timeout(600_000);
});

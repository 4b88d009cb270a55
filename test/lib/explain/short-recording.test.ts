import { expect } from 'chai';
import { blocked } from '../../../src/lib/explain/blocked.js';
import type { Observation } from '../../../src/lib/judge/observation.js';
import { parsePolicy } from '../../../src/lib/judge/policy-schema.js';
import { judge } from '../../../src/lib/judge/report.js';

const START = 1_790_000_000_000;

/** What is said of a recording of so many seconds, one check every 10 s. */
function ofRecording(lasts: number, warmupSeconds: number) {
  const policy = parsePolicy({
    windowSeconds: 600,
    intervalSeconds: 10,
    ...(warmupSeconds > 0 ? { warmupSeconds } : {}),
    targets: { max_error_rate: 0.02 },
  });
  const observations: Observation[] = [];
  for (let tick = 0; tick * 10 <= lasts; tick++) {
    const t = START + 10_000 * tick;
    const errors = tick === 0 ? ({ state: 'first' } as const) : ({ state: 'ok', bad: 0, total: 500 } as const);
    observations.push({ v: 1, tick, t, from: Math.max(START, t - 10_000), canary: { errors } });
  }
  const t = START + 1000 * lasts;
  const ended = { state: 'ended' } as const;
  observations.push({
    v: 1,
    tick: observations.length,
    t,
    from: t,
    canary: { errors: ended },
    final: true,
  } as Observation);
  return blocked(judge(policy, START, observations));
}

describe('a recording that is shorter than the window', () => {
  it('is asked for whole', () => {
    expect(ofRecording(300, 0)).to.deep.equal({
      cause: 'the input ended after 5 min: readings cover only 50% of the window',
      remedies: ['Provide observations of the whole window, or make windowSeconds shorter.'],
    });
  });

  it('is asked for with the warm-up, which comes before the window', () => {
    expect(ofRecording(600, 30)).to.deep.equal({
      cause:
        'the input ended after 9 min 30 s of the window, which began after a warm-up of 30 s: readings cover only 95% of the window',
      remedies: [
        'The window begins after the warm-up: provide observations of both (10 min 30 s), or set windowSeconds to 570.',
      ],
    });
    expect(ofRecording(630, 30)).to.equal(null);
  });
});

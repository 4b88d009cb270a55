import { expect } from 'chai';
import fc from 'fast-check';
import { LukhasError } from '../../../src/lib/errors.js';
import { durationProblem, durationSeconds, formatDuration, parseDuration } from '../../../src/lib/input/duration.js';

describe('durations', () => {
  const read: [string, number][] = [
    ['120s', 120],
    ['2m', 120],
    ['12h', 43_200],
    ['30d', 2_592_000],
    ['2w', 1_209_600],
    ['500ms', 0.5],
    ['90', 90],
    ['0.5', 0.5],
    ['1.5h', 5400],
    ['1h30m', 5400],
    ['1.1s100ms', 1.2],
    [' 2m ', 120],
    ['0', 0],
  ];
  for (const [text, seconds] of read) {
    it(`reads ${JSON.stringify(text)} as ${seconds} s`, () =>
      expect(parseDuration(text, '--window')).to.equal(seconds));
  }

  for (const text of ['', 's', '2 m', '-5s', '5x', '2m!', '1e3', '5M', 'NaN', '1..5s', 'Infinity', '1h30']) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      expect(() => parseDuration(text, '--window'))
        .to.throw(LukhasError, /^--window: .* is not a duration; write e\.g\. 120s, 2m, 1h30m, 30d$/)
        .with.property('code', 'USAGE');
    });
  }

  for (const text of ['99999999999d', '36501d', '9'.repeat(400), `${'9'.repeat(400)}d`]) {
    it(`says that ${text.slice(0, 12)} is too long`, () => {
      expect(() => parseDuration(text, '--from'))
        .to.throw(LukhasError, /^--from: .{1,62} is too long; the longest is 36500d$/)
        .with.property('code', 'USAGE');
    });
  }

  it('keeps to the limits of what it is for', () => {
    const limits = { isPositive: true, most: 86_400 };
    for (const given of ['24h', '1ms', '86400', 86_400, 0.5]) expect(durationProblem(given, limits)).to.equal(null);
    expect(durationProblem('1d1ms', limits)).to.equal('"1d1ms" is too long; the longest is 1d');
    expect(durationProblem('0s', limits)).to.equal('"0s" is too short; it must be more than 0');
    expect(durationProblem(0, limits)).to.equal('0 is too short; it must be more than 0');
    expect(durationProblem(-1, limits)).to.match(/^-1 is not a duration; write e\.g\./);
    expect(durationProblem(Number.POSITIVE_INFINITY)).to.equal('Infinity is too long; the longest is 36500d');
    expect(durationSeconds('soon')).to.be.NaN;
  });

  it('writes what it can read back, to the millisecond', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 ** 11 }), (milliseconds) => {
        expect(durationSeconds(formatDuration(milliseconds / 1000))).to.equal(milliseconds / 1000);
      }),
    );
  });

  it('writes the largest units first and nothing that is zero', () => {
    const written = [0, 0.5, 45, 60, 90, 3600, 5400, 86_400, 2_592_000, 93_784.25, -90].map(formatDuration);
    expect(written).to.deep.equal([
      '0s',
      '500ms',
      '45s',
      '1m',
      '1m30s',
      '1h',
      '1h30m',
      '1d',
      '30d',
      '1d2h3m4s250ms',
      '-1m30s',
    ]);
  });
});
